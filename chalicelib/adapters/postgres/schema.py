"""Brings the database to what this version and its datasets need: the ledger's migrations, the datasets' tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor, Database, translate
from chalicelib.adapters.postgres.plan import Changes, compare
from chalicelib.adapters.postgres.queries import migrations
from chalicelib.adapters.postgres.shape import SCHEMA, find_shape
from chalicelib.adapters.postgres.tables import table
from chalicelib.core.dataset import Dataset
from chalicelib.errors import TableDiffers, Terminal, Transient

_BUSY = "busy: {} could not be had within {:g} seconds; nothing was changed, so try again in a minute"
PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``apply`` would do, a step each, and why it would not: with any problem, nothing is changed."""

    steps: tuple[str, ...]
    problems: tuple[str, ...]


class Schema:
    """Doing it again changes nothing. ``patience_seconds`` is how long to wait for a table that others use."""

    def __init__(
        self, database: Database, datasets: Mapping[str, Dataset], patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._database = database
        self._datasets = datasets
        self._patience = patience_seconds

    def plan(self) -> Plan:
        """What ``apply`` would do now. Changes nothing."""
        with self._database.transaction() as cursor:
            cursor.execute(SCHEMA["prepare"])
            ledger = [f"ledger: {version}" for version, _ in _migrations(cursor)]
            changes = self._changes(cursor)
            statements = [statement.as_string(cursor) for statement in changes.statements()]
            cursor.connection.rollback()
            return Plan((*ledger, *statements), tuple(changes.problems))

    def apply(self) -> list[str]:
        """Bring the ledger and the tables up to date, in one transaction; what was done, a line each.

        Raises:
            TableDiffers: a table would lose something, or its rows forbid what is asked for; nothing was changed.
            Transient: the tables are in use, or the database cannot be reached; nothing was changed.
        """
        with self._database.transaction() as cursor:
            patience = {"milliseconds": str(int(self._patience * 1000))}
            cursor.execute(SCHEMA["patience"], patience)
            _wait(cursor, SCHEMA["prepare"], "the schema", self._patience)
            done = []
            for version, statements in _migrations(cursor):
                cursor.execute(statements)
                cursor.execute(SCHEMA["record"], {"version": version})
                done.append(f"ledger: {version}")
            changes = self._changes(cursor)
            if changes.touched and not changes.problems:
                # What was counted must still be so when it is built upon.
                changes = self._locked(cursor, changes)
            if changes.problems:
                raise TableDiffers(changes.problems)
            for statement in changes.statements():
                text = statement.as_string(cursor)
                _run(cursor, statement, text)
                done.append(text)
            return done

    def _locked(self, cursor: Cursor, changes: Changes) -> Changes:
        tables = [table(self._datasets[name]) for name in sorted(changes.touched)]
        lock = sql.SQL(SCHEMA["lock"]).format(tables=sql.SQL(", ").join(tables))
        _wait(cursor, lock, ", ".join(sorted(changes.touched)), self._patience)
        return self._changes(cursor)

    def _changes(self, cursor: Cursor) -> Changes:
        """What is to be done, and all that is in its way."""
        changes = compare(self._datasets, {name: find_shape(cursor, each) for name, each in self._datasets.items()})
        for obstacle in changes.obstacles:
            cursor.execute(obstacle.query)
            found = cursor.fetchone().found
            if found:
                changes.problems.append(obstacle.problem.format(found=found))
        return changes


def _migrations(cursor: Cursor) -> list[tuple[str, str]]:
    cursor.execute(SCHEMA["applied"])
    applied = {row.version for row in cursor.fetchall()}
    return [(version, statements) for version, statements in migrations() if version not in applied]


def _wait(cursor: Cursor, statement: str | sql.Composed, what: str, seconds: float) -> None:
    try:
        cursor.execute(statement)
    except psycopg2.errors.LockNotAvailable:
        raise Transient("busy", _BUSY.format(what, seconds)) from None


def _run(cursor: Cursor, statement: sql.Composed, text: str) -> None:
    """Run one step. The database's own message is left out, since it may quote values."""
    try:
        cursor.execute(statement)
    except psycopg2.Error as error:
        known = translate(error)
        if isinstance(known, Transient):
            raise
        raise Terminal(known.code, f"{known.message} of the plan, and nothing was changed: {text}") from None
