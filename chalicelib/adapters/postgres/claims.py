"""Claims: batches that load at the same time tell each other their keys, so that none waits before it must."""

import io
from typing import Any

from psycopg2 import sql

from chalicelib.adapters.postgres.binary import binary_row, number, only_value
from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.text import LineStream
from chalicelib.core.claims import KeyFacts, shared
from chalicelib.core.duplicates import Key
from chalicelib.services.ports import Batch

CLAIMS = queries("claims")


class Claims:
    """What batches that came before this one, and may still be loading, have said of their keys."""

    def __init__(self, cursor: Cursor, job: int, batch: int, facts: KeyFacts) -> None:
        self.facts = facts
        self._cursor = cursor
        self._here = {"job": job, "batch": batch}
        self._keys = {_name(key): key for key in facts.told}
        self._earlier: set[tuple[int, int]] = set()

    def shared(self) -> set[int]:
        """The rows with a key that an earlier batch may have, too."""
        rows: set[int] = set()
        if self._keys:
            self._cursor.execute(CLAIMS["earlier"], self._here)
            claim: Any
            for claim in self._cursor.fetchall():
                key = self._keys[claim.key]
                found = shared(self.facts.ordered[key], self.facts.told[key], self._told(claim))
                if found:
                    self._earlier.add((claim.job, claim.batch))
                    rows |= found
        return rows

    def _told(self, claim: Any) -> bytes:
        """What a claim tells; nothing if its batch has just ended, whose rows are there to be looked up."""
        answer = io.BytesIO()
        here = {name: sql.Literal(value) for name, value in claim._asdict().items()}
        self._cursor.copy_expert(sql.SQL(CLAIMS["told"]).format(**here), answer)
        return only_value(answer.getbuffer())

    def wait(self) -> None:
        """Until all batches that share keys with this one have ended."""
        if not self._earlier:
            return
        earlier = sorted(self._earlier)
        where = {"jobs": [job for job, _ in earlier], "batches": [batch for _, batch in earlier]}
        self._cursor.execute(CLAIMS["wait"], where)

    def withdraw(self) -> None:
        """At the batch's own end."""
        if self._keys:
            self._cursor.execute(CLAIMS["withdraw"], self._here)


def claim(cursor: Cursor, batch: Batch, facts: KeyFacts) -> None:
    """Tell all who come later what keys this batch has."""
    job = batch.job
    here: dict[str, object] = {"dataset": job.dataset, "job": job.number, "batch": batch.number}
    cursor.execute(CLAIMS["begin"], here)
    place = number(cursor.fetchone().place)
    for key, own in facts.told.items():
        row = (number(job.number), number(batch.number, 4), _name(key).encode(), job.dataset.encode(), place, own)
        cursor.copy_expert(CLAIMS["put"], LineStream(binary_row(row)))


def _name(key: Key) -> str:
    return ",".join(key)
