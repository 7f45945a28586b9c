"""Records: looked up and written one by one, or a few at a time, by the rules and in the words of files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from chalicelib.core.access import Caller
from chalicelib.core.bodies import compile_body_reader, lines_together, named_fields, one_line, several_lines, take_id
from chalicelib.core.dataset import Dataset
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.lines import ROW_ID
from chalicelib.core.parsed import Parsed
from chalicelib.core.rejection import RecordError
from chalicelib.core.representation import cursor_after, place_of
from chalicelib.errors import Contended, RequestRefused
from chalicelib.services.filters import check_filters
from chalicelib.services.idempotency import Asked
from chalicelib.services.ports import Datasets, Placed
from chalicelib.services.reads import count_records
from chalicelib.services.record_answers import (
    Record,
    body_of,
    errors_of,
    guard_of,
    id_of,
    item_of,
    known_id,
    not_found,
    read_json,
    record_of,
    refuse,
    refused_item,
    stays,
)
from chalicelib.services.record_ports import RecordStore, Stored
from chalicelib.services.visible import visible

MAX_RECORDS = 1_000
"""That a batch may have."""
PAGE_BYTES = 4 << 20
"""That a page of records may have: Lambda answers with 6 MB at most."""

_TRIES = 5  # of a transaction that PostgreSQL gave up for another one
_NOTHING = Stored(Placed(), {}, frozenset(), None)
_OTHER_ID = RecordError(ROW_ID, "constraint-error", "is not the id of the record that is written")

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records in the order of their ids, each a JSON object."""

    bodies: Sequence[bytes]
    next_cursor: str | None


class Records:
    """Whoever may not see a dataset is told that there is none. ``max_record_bytes`` is that of a file's records.

    ``prompt`` has webhooks told soon of what was written, which the sweep would do later.
    """

    def __init__(
        self,
        *,
        store: RecordStore,
        datasets: Datasets,
        max_record_bytes: int,
        prompt: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._datasets = datasets
        self._max = max_record_bytes
        self._prompt = prompt

    def page(
        self, caller: Caller, name: str, *, filters: Mapping[str, str], cursor: str | None, limit: int
    ) -> RecordPage:
        """Records that filters find, after those of the page before.

        Raises:
            RequestRefused: 404, no such dataset; 400, for filters that it does not have, values that are none of their
                fields', or a cursor that is none of these filters'.
        """
        dataset = visible(self._datasets, caller, name)
        wanted = check_filters(dataset, filters)
        try:
            after = 0 if cursor is None else place_of(cursor, name, wanted)
        except ValueError as problem:
            raise RequestRefused(400, "bad-cursor", f"cursor: {problem}") from None
        page = self._store.page(dataset, wanted, after, limit)
        bodies = _fitting(body_of(dataset, row) for row in page.rows)
        more = page.more or len(bodies) < len(page.rows)
        return RecordPage(bodies, cursor_after(id_of(page.rows[len(bodies) - 1]), name, wanted) if more else None)

    def get(self, caller: Caller, name: str, id: int) -> Record:
        """One record. Raises RequestRefused: 404."""
        dataset = visible(self._datasets, caller, name)
        row = self._store.get(dataset, known_id(id))
        if row is None:
            raise not_found()
        return record_of(dataset, row)

    def create(self, caller: Caller, name: str, body: bytes, asked: Asked | None = None) -> Record:
        """Write one record by the dataset's policy; the one that is there then, made, changed or left as it was.

        What is ``asked`` with an ``Idempotency-Key`` is written once, whatever dies before it is answered.

        Raises:
            RequestRefused: 404; 400, the body is no JSON; 409, a key of it is taken; 422, anything else is wrong with
                it; both with ``errors``, which are those of a file with this record.
        """
        dataset = visible(self._datasets, caller, name)
        reader = self._reader(dataset)
        parsed = self._parsed(reader, [read_json(one_line, body)])
        stored = self._placed(dataset, reader, parsed, asked)
        refuse(errors_of(parsed, stored).get(1, ()))
        if stored.first is None:
            raise Contended("record-gone", "the record that has the key was deleted at the same time")
        return record_of(dataset, stored.first, created=0 in stored.created)

    def put(self, caller: Caller, name: str, body: bytes, asked: Asked | None = None) -> dict[str, Any]:
        """Write a batch of records as ``create`` does one: of each what became of it, and the counts of a file's books.

        Raises:
            RequestRefused: 404; 400, the body is no JSON array; 413, it has more than ``MAX_RECORDS`` records.
        """
        dataset = visible(self._datasets, caller, name)
        lines = read_json(lambda text: several_lines(text, MAX_RECORDS), body)
        if len(lines) > MAX_RECORDS:
            raise RequestRefused(413, "too-many-records", f"a batch may have at most {MAX_RECORDS} records")
        reader = self._reader(dataset)
        parsed = self._parsed(reader, lines)
        stored = self._placed(dataset, reader, parsed, asked)
        errors = errors_of(parsed, stored)
        row_of = {parsed.where(row).record: row for row in range(parsed.accepted)}
        items = [
            refused_item(errors[number]) if number in errors else item_of(row_of[number], stored)
            for number in range(1, parsed.records + 1)
        ]
        return {"counts": count_records(parsed, stored.placed), "items": items}

    def replace(self, caller: Caller, name: str, id: int, body: bytes, if_match: str | None) -> Record:
        """Give a record other content; members that are not there make nulls.

        Raises:
            RequestRefused: as ``create``; 412, it is not the one that ``if_match`` names.
        """
        return self._change(caller, name, id, body, if_match, whole=True)

    def patch(self, caller: Caller, name: str, id: int, body: bytes, if_match: str | None) -> Record:
        """Change the members of a record that are given (null for none). Raises as ``replace``."""
        return self._change(caller, name, id, body, if_match, whole=False)

    def delete(self, caller: Caller, name: str, id: int, if_match: str | None) -> None:
        """Delete one record. Raises RequestRefused: 404; 409, others refer to it; 412 as ``replace``."""
        dataset = visible(self._datasets, caller, name)
        gone = self._written(lambda: self._store.remove(dataset, known_id(id), guard_of(dataset, if_match)))
        if gone is None:
            raise not_found()
        if gone.errors:
            raise stays(gone.errors)

    def delete_all(self, caller: Caller, name: str, confirm: str | None) -> int:
        """Delete all records, or none; how many there were.

        Raises:
            RequestRefused: 404; 400 unless ``confirm`` is the dataset's name; 409, others refer to them.
        """
        dataset = visible(self._datasets, caller, name)
        if confirm != name:
            raise RequestRefused(400, "not-confirmed", "to delete all records, confirm it with the dataset's name")
        deleted = self._written(lambda: self._store.remove_all(dataset))
        if isinstance(deleted, RecordError):
            raise stays((deleted,))
        return deleted

    def _change(self, caller: Caller, name: str, id: int, body: bytes, if_match: str | None, *, whole: bool) -> Record:
        dataset = visible(self._datasets, caller, name)
        line, own_id = take_id(read_json(one_line, body), dataset)
        if own_id not in (None, str(id)):
            refuse((_OTHER_ID,))
        reader = self._reader(dataset, None if whole else named_fields(line, dataset))
        parsed = self._parsed(reader, [line])
        refuse(next((rejection.errors for rejection in parsed.rejections), ()))
        values = dict(zip(reader.slow_columns, parsed.slow[0], strict=True))
        guard = guard_of(dataset, if_match)
        changed = self._written(lambda: self._store.change(dataset, known_id(id), values, guard))
        if changed is None:
            raise not_found()
        refuse(changed.errors)
        return record_of(dataset, changed.row)

    def _reader(self, dataset: Dataset, names: tuple[str, ...] | None = None) -> JsonLinesReader:
        fields = tuple(field.name for field in dataset.fields) if names is None else names
        return compile_body_reader(dataset, fields, self._max)

    def _parsed(self, reader: JsonLinesReader, lines: Sequence[bytes]) -> Parsed:
        return reader.read(lines_together(lines), offset=0, first_line=1)

    def _placed(self, dataset: Dataset, reader: JsonLinesReader, parsed: Parsed, asked: Asked | None) -> Stored:
        if not parsed.accepted:
            return _NOTHING
        return self._written(lambda: self._store.store(dataset, reader, parsed, asked))

    def _written(self, write: Callable[[], Found]) -> Found:
        found = _patiently(write)
        self._prompt()
        return found


def _fitting(bodies: Iterable[bytes]) -> list[bytes]:
    """The first ones, of ``PAGE_BYTES`` together: one at least."""
    taken: list[bytes] = []
    left = PAGE_BYTES
    for body in bodies:
        left -= len(body)
        if left < 0 and taken:
            break
        taken.append(body)
    return taken


def _patiently(write: Callable[[], Found]) -> Found:
    """What a transaction gives, tried again at once where another one was in its way."""
    for _ in range(_TRIES - 1):
        try:
            return write()
        except Contended:
            continue
    return write()
