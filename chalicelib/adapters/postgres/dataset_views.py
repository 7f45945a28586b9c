"""How much there is of each dataset."""

from typing import Any

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import table
from chalicelib.core.dataset import Dataset

DATASETS = queries("datasets")
_COUNTED = 10_000  # rows that are counted one by one


class PostgresDatasetViews:
    """See ``services.datasets.DatasetViews``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, dataset: Dataset) -> dict[str, Any]:
        here = table(dataset)
        with self._database.transaction() as cursor:
            cursor.execute(sql.SQL(DATASETS["few"]).format(table=here), {"most": _COUNTED + 1})
            count = int(cursor.fetchone().rows)
            if count <= _COUNTED:
                return {"count": count, "estimated": False}
            cursor.execute(sql.SQL(DATASETS["estimate"]).format(table=here))
            [plan] = cursor.fetchone()[0]
            return {"count": max(count, plan["Plan"]["Plan Rows"]), "estimated": True}

    def volumes(self, dataset: str, days: int) -> list[dict[str, Any]]:
        with self._database.transaction() as cursor:
            cursor.execute(DATASETS["volumes"], {"dataset": dataset, "days": days})
            return [dict(row._asdict()) for row in cursor.fetchall()]
