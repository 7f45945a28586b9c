"""Rows of a dataset's table as exports have them: one, or a page of those that a filter finds."""

from collections.abc import Mapping

from psycopg2 import sql

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.exports import row_bytes
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.tables import column_type, names, table
from chalicelib.adapters.postgres.text import Rows
from chalicelib.core.dataset import Dataset
from chalicelib.core.lines import Row, exported_columns
from chalicelib.services.record_ports import RowPage

RECORDS = queries("records")
_PAGE_BYTES = 2 << 20  # of the rows' own text, of which JSON makes more


def read_page(cursor: Cursor, dataset: Dataset, filters: Mapping[str, str | None], after: int, limit: int) -> RowPage:
    """See ``services.record_ports.RecordStore.page``."""
    found = _read(cursor, page_query(dataset, filters, after, limit + 1))
    rows = [row[:-1] for row in found[:limit]]
    return RowPage(rows, more=bool(found) and int(found[0][-1] or 0) > len(rows))


def read_one(cursor: Cursor, dataset: Dataset, id: int) -> Row | None:
    """One row, its id first."""
    query = sql.SQL(RECORDS["one"]).format(columns=_columns(dataset), table=table(dataset), id=sql.Literal(id))
    rows = _read(cursor, query)
    return rows[0] if rows else None


def page_query(dataset: Dataset, filters: Mapping[str, str | None], after: int, limit: int) -> sql.Composed:
    """The query of a page; each row's last column is how many rows were found, within the limit."""
    conditions = [_condition(dataset, name, text) for name, text in filters.items()]
    return sql.SQL(RECORDS["page"]).format(
        columns=_columns(dataset),
        bytes=row_bytes(dataset),
        table=table(dataset),
        conditions=sql.SQL(" and ").join(conditions or [sql.SQL("true")]),
        after=sql.Literal(after),
        limit=sql.Literal(limit),
        most_bytes=sql.Literal(_PAGE_BYTES),
    )


def typed(dataset: Dataset, name: str, value: sql.Composable) -> sql.Composed:
    """A text as a value of a field's column."""
    return sql.SQL("{}::{}").format(value, sql.SQL(column_type(dataset.field(name))))


def _condition(dataset: Dataset, name: str, text: str | None) -> sql.Composed:
    if text is None:
        return sql.SQL("{} is null").format(sql.Identifier(name))
    return sql.SQL("{} = {}").format(sql.Identifier(name), typed(dataset, name, sql.Literal(text)))


def _columns(dataset: Dataset) -> sql.Composed:
    return names(exported_columns(dataset, with_id=True))


def _read(cursor: Cursor, query: sql.Composed) -> list[Row]:
    cursor.execute(RECORDS["text_forms"])
    rows = Rows()
    cursor.copy_expert(sql.SQL("copy ({}) to stdout").format(query), rows)
    return rows.read
