"""One batch's transaction: its rows, its rejections and its books, one commit."""

import json
from collections.abc import Iterator, Mapping, Sequence

import psycopg2.extras

from chalicelib.adapters.postgres.claims import Claims
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.place import place
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.text import LineStream, copy_line
from chalicelib.core.dataset import Dataset
from chalicelib.core.origin import origin_of
from chalicelib.core.reader import Parsed, Reader
from chalicelib.core.rejection import Rejection, tally
from chalicelib.services.ports import Batch, Placed, Prints

BATCHES = queries("batches")


class Loading:
    """Holds the batch's row until the transaction ends: a second delivery waits here and then finds it booked."""

    def __init__(self, cursor: Cursor, batch: Batch, prints: Prints) -> None:
        self._cursor = cursor
        self._batch = batch
        self._claims = Claims(cursor, batch.job.number, batch.number, prints)

    def place(self, dataset: Dataset, reader: Reader, parsed: Parsed) -> Placed:
        origin = origin_of(self._batch.job.number, self._batch.number)
        return place(self._cursor, dataset, reader, parsed, origin, self._claims)

    def book(self, counts: Mapping[str, int], rejections: Sequence[Rejection]) -> bool:
        here = {"job": self._batch.job.number, "batch": self._batch.number}
        self._cursor.execute(BATCHES["succeed"], {**counts, **here})
        self._claims.withdraw()
        if rejections:
            self._cursor.copy_expert(BATCHES["copy_rejections"], LineStream(self._lines(rejections)))
            causes = [
                (here["job"], here["batch"], cause.code, cause.column or "", cause.count, cause.example_line)
                for cause in tally(rejections)
            ]
            psycopg2.extras.execute_values(self._cursor, BATCHES["insert_causes"], causes)
        self._cursor.execute(BATCHES["add_to_job"], {**counts, **here})
        return bool(self._cursor.fetchone().complete)

    def _lines(self, rejections: Sequence[Rejection]) -> Iterator[bytes]:
        job, batch = str(self._batch.job.number), str(self._batch.number)
        for rejection in rejections:
            errors = [{"column": e.column, "code": e.code, "message": e.message} for e in rejection.errors]
            yield copy_line(
                (
                    job,
                    batch,
                    str(rejection.record),
                    str(rejection.line),
                    str(rejection.offset),
                    str(rejection.length),
                    json.dumps(errors),
                    "\\x" + rejection.raw.hex(),
                )
            )
