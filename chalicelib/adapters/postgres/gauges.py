"""How things stand, read from the ledger."""

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.services.overview import Gauges


class PostgresInstruments:
    """See ``services.overview.Instruments``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Gauges:
        with self._database.transaction() as cursor:
            cursor.execute(queries("gauges")["read"])
            row = cursor.fetchone()
            return Gauges(row.jobs_open, row.oldest_pending_seconds)
