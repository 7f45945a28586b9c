"""The parts of a merge's statements that depend on the dataset and on the columns that its file has."""

from collections.abc import Iterable, Mapping, Sequence

from psycopg2 import sql

from chalicelib.adapters.postgres.staging import Key, Staging
from chalicelib.adapters.postgres.tables import names
from chalicelib.core.dataset import OnConflict


class Terms:
    """Composes the queries of ``merge.sql``; a column that the file does not have is left as it is in the table."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        dataset = staging.dataset
        self._key = dataset.match_key
        self._values = [name for name in staging.types if name not in self._key and name not in staging.added]
        self._adds = adds = dataset.on_conflict is OnConflict.SUM
        self._parts: dict[str, sql.Composable] = {
            "table": staging.target,
            "target": sql.Literal(staging.target.as_string(staging.cursor)),
            "columns": names(staging.types),
            "key": names(self._key),
            "order": _listed(self._staged(name) for name in self._key),
            "staged": _listed(self._sum(name) if adds else self._staged(name) for name in staging.types),
            "same": self.same(self._key),
            "differs": self._differs(sql.SQL("kept")),
            "differs_from_before": self._differs(sql.SQL("before")),
            "assignments": _listed(self._additions("excluded") if adds else self._assignments()),
            "origin": sql.Literal(staging.origin),
            "dataset": sql.Literal(dataset.name),
            "hash": hash_of("stage", self._values, staging.types),
            "amounts": self._object(map(self._staged, self._values)),
            "added": self._object(sql.SQL("stage.{}").format(sql.Identifier(name)) for name in self._values),
            "staged_as": _listed(
                sql.SQL("{} as {}").format(self._sum(name) if adds else self._staged(name), sql.Identifier(name))
                for name in staging.types
            ),
        }

    def fill(self, query: str, **parts: sql.Composable) -> sql.Composed:
        """A query with the names and lists that it asks for."""
        return sql.SQL(query).format(**{**self._parts, **parts})

    def one(self, query: str) -> str:
        """A statement about one row, as text for ``dropload.merge_singly``; a single row is its own sum."""
        parts: dict[str, sql.Composable] = {"staged": _listed(map(self._staged, self._staging.types))}
        if self._adds:
            parts["assignments"] = _listed(self._additions("stage"))
        return self.fill(query, **parts).as_string(self._staging.cursor)

    def same(self, key: Key) -> sql.Composed:
        """The condition that ``stage`` and ``kept`` have one value of a key."""
        each = (sql.SQL("{} = kept.{}").format(self._staged(name), sql.Identifier(name)) for name in key)
        return sql.SQL(" and ").join(each)

    def _staged(self, name: str, of: str = "stage") -> sql.Composed:
        # Where staging had to be plain text, the cast does the work; else it does nothing.
        kind = sql.SQL(self._staging.types[name])
        return sql.SQL("{}.{}::{}").format(sql.Identifier(of), sql.Identifier(name), kind)

    def _sum(self, name: str) -> sql.Composed:
        form = "{}" if name in self._key else "min({})" if name in self._staging.added else "sum({})"
        return sql.SQL(form).format(self._staged(name))

    def _differs(self, other: sql.Composable) -> sql.Composable:
        if not self._values:
            return sql.SQL("false")
        theirs = _listed(
            sql.SQL("{}.{}::{}").format(other, sql.Identifier(name), sql.SQL(self._staging.types[name]))
            for name in self._values
        )
        ours = _listed(map(self._staged, self._values))
        return sql.SQL("row({}) is distinct from row({})").format(ours, theirs)

    def _object(self, values: Iterable[sql.Composable]) -> sql.Composed:
        """These values of a record as a JSON object."""
        named = (
            sql.SQL("{} as {}").format(value, sql.Identifier(name))
            for name, value in zip(self._values, values, strict=True)
        )
        return sql.SQL("(select to_jsonb(one) from (select {}) as one)").format(_listed(named))

    def _assignments(self) -> Iterable[sql.Composed]:
        for name in self._values:
            yield sql.SQL("{} = {}").format(sql.Identifier(name), self._staged(name))
        yield sql.SQL("_origin = {}").format(sql.Literal(self._staging.origin))

    def _additions(self, of: str) -> Iterable[sql.Composed]:
        """Nothing adds nothing; only of nothings the sum is nothing."""
        for name in self._values:
            yield sql.SQL("{name} = coalesce(kept.{name} + {new}, kept.{name}, {new})").format(
                name=sql.Identifier(name), new=self._staged(name, of)
            )


def hash_of(of: str, values: Sequence[str], types: Mapping[str, str]) -> sql.Composed:
    """What tells a row's values from others, of the columns of a file but for the key."""
    each = (
        sql.SQL("{}.{}::{}").format(sql.Identifier(of), sql.Identifier(name), sql.SQL(types[name]))
        for name in sorted(values)
    )
    return sql.SQL("hashtextextended(row({})::text, 0)").format(_listed(each))


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
