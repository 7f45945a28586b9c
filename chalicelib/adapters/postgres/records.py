"""Records that are read and written through the API."""

from collections.abc import Mapping, Sequence

from chalicelib.adapters.postgres.answers import mark_done
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.references import MERGED
from chalicelib.adapters.postgres.rowreads import read_one, read_page
from chalicelib.adapters.postgres.rowwrites import USUAL, Patience, RowWrites
from chalicelib.adapters.postgres.tables import table
from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import OnConflict
from chalicelib.errors import Contended
from chalicelib.services.idempotency import Asked
from chalicelib.services.ports import Placed
from chalicelib.services.record_ports import Changed, Guard, RowPage, Stored

CREATED, UPDATED, DELETED = "record.created", "record.updated", "record.deleted"


class PostgresRecords:
    """See ``services.record_ports.RecordStore`` for what each method promises."""

    def __init__(self, database: Database, patience: Patience = USUAL) -> None:
        self._database = database
        self._patience = patience

    def page(self, dataset: Dataset, filters: Mapping[str, str | None], after: int, limit: int) -> RowPage:
        with self._database.transaction() as cursor:
            return read_page(cursor, dataset, filters, after, limit)

    def get(self, dataset: Dataset, id: int) -> Row | None:
        with self._database.transaction() as cursor:
            return read_one(cursor, dataset, id)

    def store(self, dataset: Dataset, reader: Reader, parsed: Parsed, asked: Asked | None = None) -> Stored:
        with self._database.transaction() as cursor:
            write = RowWrites(cursor, dataset, self._patience)
            drawn = write.draw_ids(parsed.records)
            number = write.draw_number()
            origin = origin_of(number, 0)
            # Records count from 1.
            placed = place(cursor, dataset, table(dataset), reader, parsed, origin, ids=[0, *drawn])
            found = _Found(write, dataset, reader, parsed, placed, drawn, origin)
            write.announce(number, CREATED, [found.ids[row] for row in found.created])
            write.announce(number, UPDATED, found.updated)
            first = read_one(cursor, dataset, found.ids[0]) if 0 in found.ids else None
            if 0 in found.ids and first is None:
                raise Contended("record-gone", "the record that has the key was deleted at the same time")
            mark_done(cursor, asked)  # last, for whoever asks the same meanwhile waits for us
            return Stored(placed, found.ids, frozenset(found.created), first)

    def change(self, dataset: Dataset, id: int, values: Mapping[str, str | None], guard: Guard) -> Changed | None:
        with self._database.transaction() as cursor:
            write = RowWrites(cursor, dataset, self._patience)
            before = write.hold(id)
            if before is None:
                return None
            guard(before)
            if not values:
                return Changed(before)
            number = write.draw_number()  # the row is ours: whoever wrote it has drawn before
            errors = write.change(id, values, origin_of(number, 0))
            if errors:
                return Changed(before, errors)
            after = read_one(cursor, dataset, id)
            assert after is not None, "nobody else can delete it"
            write.announce(number, UPDATED, [id] if after != before else [])
            return Changed(after)

    def remove(self, dataset: Dataset, id: int, guard: Guard) -> Changed | None:
        with self._database.transaction() as cursor:
            write = RowWrites(cursor, dataset, self._patience)
            before = write.hold(id)
            if before is None:
                return None
            guard(before)
            errors = write.attempt(write.fill("remove"), {"_id": id})
            if not errors:
                write.announce(write.draw_number(), DELETED, [id])
            return Changed(before, errors)

    def remove_all(self, dataset: Dataset) -> int | RecordError:
        with self._database.transaction() as cursor:
            write = RowWrites(cursor, dataset, self._patience)
            cursor.execute(write.fill("hold_alone"))
            cursor.execute(write.fill("count"))
            rows = int(cursor.fetchone().rows)
            cursor.execute(write.fill("may_truncate"))
            errors = write.attempt(write.fill("truncate" if cursor.fetchone().free else "remove_all"))
            if errors:
                return errors[0]
            if rows:
                write.announce(write.draw_number(), DELETED, None)
            return rows


class _Found:
    """The rows that records have become: ``ids`` by record, ``created`` records, ids of ``updated`` rows."""

    def __init__(
        self,
        write: RowWrites,
        dataset: Dataset,
        reader: Reader,
        parsed: Parsed,
        placed: Placed,
        drawn: Sequence[int],
        origin: int,
    ) -> None:
        self.ids: dict[int, int] = {}
        self.created: list[int] = []
        self.updated: set[int] = set()
        taken = [row for row in range(parsed.accepted) if row not in placed.refusals]
        if dataset.on_conflict not in MERGED:
            self.ids = {row: drawn[parsed.where(row).record - 1] for row in taken}
            self.created = taken
            ignored = [row for row, refusal in placed.refusals.items() if refusal.ignored]
            for key in dataset.unique_keys:
                found = write.holders(key, reader, parsed, ignored)
                self.ids = {row: id for row, (id, _) in found.items()} | self.ids
            return
        own, made = set(drawn), set()
        for row, (id, of) in sorted(write.holders(dataset.match_key, reader, parsed, taken).items()):
            self.ids[row] = id
            if id in own:
                if id not in made:  # the first of several records with one key
                    self.created.append(row)
                made.add(id)
            elif of == origin or dataset.on_conflict is OnConflict.SUM:
                self.updated.add(id)
