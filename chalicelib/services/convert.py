"""Convert: a workbook or a Parquet file becomes JSON Lines, which are cut and staged as any other data."""

from collections.abc import Iterator
from uuid import UUID

from chalicelib.config import Settings
from chalicelib.core.containers import HEAD_BYTES, JSONL, Found, container_of
from chalicelib.core.header import Layout
from chalicelib.errors import FileRefused
from chalicelib.services.cutting import Cutting
from chalicelib.services.gather import may_gather
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.metrics import Metric
from chalicelib.services.ports import Datasets, Job, ObjectStore, Queues, Remaining, Tables
from chalicelib.services.reads import declared
from chalicelib.services.replace import may_replace
from chalicelib.services.split import Split
from chalicelib.services.telemetry import SILENT, Meter


class Convert:
    """What split does for text, for tables: in a function of its own, since it needs large libraries."""

    def __init__(
        self,
        *,
        split: Split,
        ledger: Ledger,
        objects: ObjectStore,
        tables: Tables,
        queues: Queues,
        datasets: Datasets,
        settings: Settings,
        cutting: Cutting,
        meter: Meter = SILENT,
    ) -> None:
        self._meter = meter
        self._split = split
        self._ledger = ledger
        self._objects = objects
        self._tables = tables
        self._queues = queues
        self._datasets = datasets
        self._settings = settings
        self._cutting = cutting

    def run(self, id: UUID, remaining: Remaining) -> None:
        """Convert a job's table from where its split stands, and finish the job if nothing is left to load."""
        self._split.resume(id, remaining, self._cut)

    def _cut(self, job: Job, remaining: Remaining) -> None:
        head = self._objects.read(job.object, 0, min(HEAD_BYTES, job.object.size))
        container = container_of(head, job.object.key)
        assert container is not None, "split sends nothing else"
        dataset = declared(job, self._datasets)  # its own dialect tells where a table has its header
        table = self._tables.open(job.object, container, dataset)
        if job.columns is None:
            # A header is among the rows, as an empty line: so a record's line is its row.
            layout = Layout(table.columns, data_start=0, first_line=1)
            found = Found(container, JSONL)
            replaces, gathers = may_replace(dataset, layout), may_gather(dataset, layout, job, found)
            job = self._ledger.start(job, layout, found, replaces=replaces, gathers=gathers)
            self._meter.report("started", {Metric.JOBS_STARTED: 1}, dataset=job.dataset, bytes=job.object.size)
        # A batch ends where a line does, and a line is a row: no row before the split's line is needed again.
        chunks = _limited(table.lines(job.split_line), self._settings.max_unpacked_bytes - job.split_offset)
        self._cutting.run(job, chunks, remaining, self._queues.send_convert, chunks_from=job.split_offset)


def _limited(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The chunks, while they have no more than ``most`` bytes: a few bytes of Parquet can stand for any number."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise FileRefused("byte-count", "the table has more bytes as JSON Lines than files may unpack to")
        yield chunk
