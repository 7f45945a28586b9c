"""Named SQL: ``sql/<name>.sql`` holds queries, each after a ``-- name: <query>`` line."""

import re
from functools import cache
from pathlib import Path

_SQL = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def queries(name: str) -> dict[str, str]:
    """The queries of one file, by name."""
    parts = _NAME.split((_SQL / f"{name}.sql").read_text(encoding="utf-8"))
    return {query: text.strip() for query, text in zip(parts[1::2], parts[2::2], strict=True)}


def migrations() -> list[tuple[str, str]]:
    """(version, SQL) of every migration, in the order in which they apply."""
    return [(path.stem, path.read_text(encoding="utf-8")) for path in sorted((_SQL / "migrations").glob("*.sql"))]
