"""Export: one snapshot of a dataset becomes parts of a bounded size, by as many invocations as that takes."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from itertools import chain
from uuid import UUID

from chalicelib import __version__
from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import exported_columns
from chalicelib.errors import ExportRefused
from chalicelib.services.export_ports import (
    ExportFormat,
    ExportJob,
    ExportLedger,
    ExportPart,
    ExportState,
    NewPart,
    PartWriter,
)
from chalicelib.services.ports import Datasets, ObjectStore, Queues, Reason, Remaining
from chalicelib.services.telemetry import note

log = logging.getLogger("dropload.export")

MANIFEST = "manifest.json"

_SPARE = 30.0  # seconds that an invocation keeps for what is not writing a part
_SLOWEST = 5_000_000  # bytes a second that a part is sure to be written at, until one has been timed
_MOST_PARTS = 2_000  # the API shows all of an export's parts in one answer, with links of up to 2 kB
_PAGE_BYTES = 4_000_000  # of rows held at once; on their way they take several times that
_CONTENT_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSONL: "application/jsonl; charset=utf-8",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_GAVE_UP = Reason(
    "exhausted", "we tried several times and could not write this; our engineers have been told", "transient"
)


class Export:
    """A part begins where the one before it ended and depends on nothing else: it comes out the same, byte for byte,
    whoever writes it and how often. Killed anywhere, the next delivery goes on after the last part that was booked.
    """

    def __init__(
        self,
        *,
        exports: ExportLedger,
        objects: ObjectStore,
        queues: Queues,
        datasets: Datasets,
        new_parts: Mapping[ExportFormat, NewPart],
        most_parts: int = _MOST_PARTS,
    ) -> None:
        self._exports = exports
        self._objects = objects
        self._queues = queues
        self._datasets = datasets
        self._new_parts = new_parts
        self._most_parts = most_parts

    def run(self, id: UUID, remaining: Remaining) -> None:
        """Write the export out, or as much as there are seconds for; whoever finds another at work leaves it alone.

        Raises:
            Transient: try again later.
            Terminal: a fault of ours; the queue tries again and the dead-letter handler books it.
        """
        with self._exports.working(id) as export:
            if export is not None:
                note(dataset=export.dataset)
            unfinished = export is not None and self._work(export, remaining)
        if unfinished:  # not before the lock is free for whoever gets the message
            self._queues.send_export(id)

    def give_up(self, id: UUID) -> None:
        """Book as failed what the queue gave up on."""
        if self._exports.end(id, ExportState.FAILED, _GAVE_UP):
            log.error("export %s was given up", id)

    def _work(self, export: ExportJob, remaining: Remaining) -> bool:
        """Whether something is left to do."""
        try:
            dataset = self._datasets.get(export.dataset)
            if dataset is None:
                raise ExportRefused("unknown-dataset", "this version has no such dataset any more")
            headway = export.rows is None
            if export.rows is None:
                export = self._exports.take_snapshot(export, dataset, remaining() - _SPARE)
            return self._write(export, dataset, remaining, headway=headway)
        except ExportRefused as refused:
            self._exports.end(export.id, ExportState.FAILED, Reason(refused.code, refused.message, "request"))
            return False
        except _SnapshotLost:
            return self._exports.start_over(export)

    def _write(self, export: ExportJob, dataset: Dataset, remaining: Remaining, *, headway: bool) -> bool:
        assert export.rows is not None
        parts = self._exports.parts(export)
        slowest = export.max_part_bytes / _SLOWEST
        while not parts or parts[-1].last_row < export.rows:
            if len(parts) == self._most_parts:
                message = f"more than {self._most_parts} parts would be needed: raise max_part_bytes, or filter"
                raise ExportRefused("too-many-parts", message)
            before = remaining()
            if headway and before < _SPARE + slowest:  # who has got nothing done goes on
                return True
            part = self._write_part(export, dataset, parts[-1] if parts else None)
            if part is None:
                break
            if not self._exports.add_part(export, part):
                return False
            parts.append(part)
            headway, slowest = True, max(slowest, before - remaining())
        self._objects.write(
            prefix_of(export.dataset, export.id) + MANIFEST, [_manifest(export, dataset, parts)], "application/json"
        )
        self._exports.end(export.id, ExportState.COMPLETED, None)
        return False

    def _write_part(self, export: ExportJob, dataset: Dataset, last: ExportPart | None) -> ExportPart | None:
        """The next part, which stands in the bucket; None where there is nothing, not even a header, to write."""
        number, after = (last.number + 1, last.last_row) if last else (1, 0)
        part = self._new_parts[export.format](dataset, export.max_part_bytes, with_id=export.with_id)
        filled = _Filled(after)
        chunks = self._fill(export, dataset, part, filled)
        first = next(chunks, None)
        if first is None:
            return None
        key = f"{prefix_of(export.dataset, export.id)}part-{number:05d}.{export.format}"
        self._objects.write(key, chain([first], chunks), _CONTENT_TYPES[export.format])
        return ExportPart(number, key, filled.row - after, filled.bytes, filled.row, filled.sha256.hexdigest())

    def _fill(self, export: ExportJob, dataset: Dataset, part: PartWriter, filled: "_Filled") -> Iterator[bytes]:
        page = min(_PAGE_BYTES, export.max_part_bytes)
        full = False
        while not full and filled.row < (export.rows or 0):
            rows = self._exports.rows(export, dataset, filled.row, page)
            if not rows:
                raise _SnapshotLost
            taken, data = part.add(rows)
            full = taken < len(rows)
            filled.row += taken
            yield from filled.passed(data)
        yield from filled.passed(part.finish())


class _SnapshotLost(Exception):
    """PostgreSQL crashed: it empties unlogged tables then. Or somebody ended the export."""


class _Filled:
    """What is in a part so far; ``row`` is the snapshot's last row in it."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.bytes = 0
        self.sha256 = hashlib.sha256()

    def passed(self, data: bytes) -> Iterator[bytes]:
        if data:
            self.bytes += len(data)
            self.sha256.update(data)
            yield data


def prefix_of(dataset: str, id: UUID | str) -> str:
    """Where an export's files go."""
    return f"output/{dataset}/export={id}/"


def _manifest(export: ExportJob, dataset: Dataset, parts: list[ExportPart]) -> bytes:
    manifest = {
        "id": str(export.id),
        "dataset": export.dataset,
        "format": export.format,
        "filters": dict(export.filters),
        "columns": exported_columns(dataset, with_id=export.with_id),
        "rows": export.rows,
        "bytes": sum(part.bytes for part in parts),
        "max_part_bytes": export.max_part_bytes,
        "snapshot_at": export.snapshot_at,
        "parts": [{"key": part.key, "rows": part.rows, "bytes": part.bytes, "sha256": part.sha256} for part in parts],
        "dropload": __version__,
    }
    return json.dumps(manifest, indent=1, ensure_ascii=False).encode()
