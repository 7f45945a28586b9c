"""The expressions that match runs of surely good JSON records, and make of them what COPY reads.

Most files write all their records alike: the same members in the same order. That is a shape, and each has its
expressions. As with CSV they are conservative: text with escapes, nested values and whatever else they do not surely
accept is left to the exact rules.
"""

import json
import re
from collections.abc import Callable, Sequence
from operator import itemgetter

from chalicelib.core.fastcells import CellBuilder
from chalicelib.core.fasttypes import typed_expression
from chalicelib.core.repeat import at_least_one
from chalicelib.core.schema import Dialect, Field, FieldType

PAYLOAD = Dialect(delimiter="\x1f", quote_char="\x1e")
"""The dialect of what COPY is given; no JSON string has these characters unless they are escaped."""

_IN_STRINGS = Dialect(delimiter='"', quote_char="\x1f")  # to a cell, what ends the string is its delimiter
_SPACE = rb"[ \t]{0,4}+"
_DIGITS = rb"-?+(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,17}+)?+"  # of a number that is taken for text
_LONGEST_DIGITS = 40
_NUMBER = rb"(?=-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+[ \t,}])"  # what JSON takes for one, at what a type takes for one
_CAPTURED = rb'(?:null|"?+((?<=")[^"]*+|(?<!")[^ \t,}]++)"?+)'  # one group, with quotes around it or without
_ANY_VALUE = rb'(?:"[^"]*+"|[^" \t,}]++)'
_UNKNOWN = rb'(?:"[^\0-\x1f"\\]*+"|%b|true|false|null)' % _DIGITS
_LITERAL = re.compile(r"-?[0-9.]+|true|false").fullmatch
_TEXTS = (FieldType.STRING, FieldType.ANY)
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER, FieldType.YEAR)


class Shape:
    """Records with members of these names, in this order.

    ``fields`` has a field for each name, or ``None`` where it is none's; ``columns`` are those of the payload.
    """

    def __init__(self, names: Sequence[str], fields: Sequence[Field | None], columns: Sequence[str]) -> None:
        builder = CellBuilder(_IN_STRINGS, may_be_empty=len(columns) > 1)
        labels = [re.escape(json.dumps(name, ensure_ascii=False).encode()) for name in names]
        values = [
            _UNKNOWN if field is None else _ways(field, builder, may_be_null=len(columns) > 1) for field in fields
        ]
        several = at_least_one(_record(labels, values).decode()).encode()
        self.run: Callable[..., re.Match[bytes] | None] = re.compile(several).match
        """Matches as many records as there are: ``run(data, start, limit)``."""
        # What has been matched by the one need not be looked at so closely by the other. It ends with an empty group,
        # for columns that no member stands for, and one more, since a lone group would come without its tuple.
        parts = [_ANY_VALUE if field is None else _CAPTURED for field in fields]
        self._values = re.compile(_record(labels, parts) + b"()()").findall
        groups = {field.name: position for position, field in enumerate(filter(None, fields))}
        self._columns = [groups.get(name, len(groups)) for name in columns]

    def payload(self, records: bytes) -> tuple[bytes, int]:
        """Return what COPY is given for the records of a run, a line each, and how many there are."""
        rows = self._values(records)
        delimiter = PAYLOAD.delimiter.encode()
        if len(self._columns) == 1:
            [column] = self._columns
            lines = [row[column] for row in rows]
        else:
            lines = list(map(delimiter.join, map(itemgetter(*self._columns), rows)))
        return b"\n".join([*lines, b""]), len(rows)


def compile_shape(names: Sequence[str], fields: Sequence[Field | None], columns: Sequence[Field]) -> Shape | None:
    """Return the shape of records that have members of these names; ``None`` where none is surely good.

    ``fields`` are those that the names stand for, ``columns`` all that a row has, each of them once.
    """
    known = {field.name for field in fields if field is not None}
    if any(column.constraints.required and column.name not in known for column in columns) or not known:
        return None
    if not all(name.isprintable() for name in names):
        return None
    return Shape(names, fields, [column.name for column in columns])


def _record(labels: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    members = [b"%b%b:%b%b" % (label, _SPACE, _SPACE, value) for label, value in zip(labels, values, strict=True)]
    between = rb"%b,%b" % (_SPACE, _SPACE)
    return rb"%b\{%b%b%b\}%b\r?+\n" % (_SPACE, _SPACE, between.join(members), _SPACE, _SPACE)


def _ways(field: Field, builder: CellBuilder, *, may_be_null: bool) -> bytes:
    """Return the expression of a field's value: a string, or anything else that is surely good."""
    cell = builder.cell(field)
    bare = _bare(field)
    ways = [rb'"(?=[^\0-\x1f"\\]*+")%b"' % cell.plain] if cell else []
    ways += [bare] if bare else []
    if may_be_null and not field.constraints.required:
        ways.append(b"null")
    return rb"(?:%b)" % b"|".join(ways or [b"(?!)"])


def _bare(field: Field) -> bytes | None:
    """Return the expression of a value without quotes: a number, true or false."""
    limits = field.constraints
    if limits.enum is not None or any(map(_LITERAL, field.missing_values)):
        return None
    if field.type is FieldType.BOOLEAN:
        return b"true|false" if field.true_values and field.false_values else None
    if field.type in _NUMBERS:
        expression = typed_expression(field)
        return None if expression is None else _NUMBER + expression
    plain = field.type in _TEXTS and field.format == "default" and limits.pattern is None
    fits = (limits.min_length or 0) <= 1 and (limits.max_length or _LONGEST_DIGITS) >= _LONGEST_DIGITS
    return _DIGITS if plain and fits else None
