"""Random datasets, and files that are nearly right for them."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.rejection import RecordError
from chalicelib.core.schema import Dataset, Dialect, Field, FieldType
from chalicelib.core.values import compile_check

DIALECTS = st.sampled_from(
    [Dialect(), Dialect(), Dialect(";"), Dialect("\t"), Dialect("|", "'"), Dialect("~", "^"), Dialect("-", "]")]
)

_WORDS = ["", "a", "ab", "Ana", "José", "x" * 40, "NA", "null", "\\.", "a\\b", '5" pipe', "two words", "\u2028"]
_NUMBERS = ["0", "7", "007", "-1", "+5", "-0", "9", "10", "99", "100", "2147483647", "-2147483648", str(2**63 - 1)]
_NOT_INTEGERS = ["9223372036854775808", "1_0", " 7", "7 ", "7.0", "\u0661", "1e3", "--1", "+", "12345678901234567890"]
_DECIMALS = ["1.5", "-0.50", "5.", ".5", "1e5", "NaN", "INF", "-INF", "1.0000", "1e2000", "99.99", "100.01", "1.2.3"]
_DATES = ["2024-02-29", "2023-02-29", "2024-02-30", "0001-01-01", "9999-12-31", "2024-1-1", "2024-04-31", "0000-01-01"]
_TIMES = ["00:00:00", "23:59:59.999999", "24:00:00", "12:30", "12:30:60", "12:30:00.1234567", "12:00:00.0"]
_INSTANTS = [
    "2024-01-31T12:00:00",
    "2024-01-31T12:00:00Z",
    "2024-01-31T12:00:00.5+02:00",
    "2024-01-31 12:00:00",
    "2024-01-31T12:00:00+15:00",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:59:59-14:00",
]
_BOOLEANS = ["true", "false", "1", "0", "TRUE", "yes", "nein", "ja", "no", "T"]
VALUES = st.sampled_from(
    [*_WORDS, *_NUMBERS, *_NOT_INTEGERS, *_DECIMALS, *_DATES, *_TIMES, *_INSTANTS, *_BOOLEANS]
) | st.text(max_size=6)
_PATTERNS = ["[0-9]{1,4}", "[A-Z][a-z]+", "(?:a|b|ab)*", "^\\d{3}-\\d{2}$", "\\w+", "[^x]*", ".+", "x?y{2,}"]

_GOOD: dict[str, Sequence[str]] = {
    "string": _WORDS,
    "any": _WORDS,
    "integer": _NUMBERS,
    "number": [*_NUMBERS, *_DECIMALS],
    "boolean": _BOOLEANS,
    "date": _DATES,
    "time": _TIMES,
    "datetime": _INSTANTS,
}
_ENUMS: dict[str, Sequence[Any]] = {
    "boolean": ["true"],
    "integer": [0, 7, 100, -1],
    "number": ["1.5", 7],
    "date": ["2024-02-29"],
    "time": ["00:00:00"],
    "datetime": ["2024-01-31T12:00:00Z"],
}
_BOUNDS: dict[str, Sequence[Any]] = {
    "integer": [-100, -1, 0, 1, 5, 99, 100, 1234, 2147483647],
    "number": [-100, -0.5, 0, 1, 5.5, 99, 100],
    "date": ["2000-01-01", "2024-02-28", "2024-12-31", "2030-06-15"],
    "time": ["00:00:00", "06:30:00", "12:00:00", "22:15:00.5"],
    "datetime": ["2000-01-01T00:00:00", "2024-06-30T12:00:00Z", "2030-01-01T00:00:00+02:00"],
}


@st.composite
def constraints(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Constraints that a field of this type may have."""
    drawn: dict[str, Any] = {"required": draw(st.booleans())}
    if kind in _BOUNDS:
        low, high = sorted(
            draw(st.lists(st.sampled_from(range(len(_BOUNDS[kind]))), min_size=2, max_size=2)),
        )
        if draw(st.booleans()):
            drawn["minimum"] = _BOUNDS[kind][low]
        if draw(st.booleans()):
            drawn["maximum"] = _BOUNDS[kind][high]
    if kind in ("string", "any"):
        least, most = sorted(draw(st.tuples(st.integers(0, 6), st.integers(0, 60))))
        if draw(st.booleans()):
            drawn["minLength"] = least
        if draw(st.booleans()):
            drawn["maxLength"] = most
        if draw(st.integers(0, 4)) == 0:
            drawn["pattern"] = draw(st.sampled_from(_PATTERNS))
    if draw(st.integers(0, 9)) == 0:
        drawn["enum"] = _ENUMS.get(kind) or list(_GOOD[kind][:3])
    return drawn


@st.composite
def datasets(draw: st.DrawFn, dialects: st.SearchStrategy[Dialect] = DIALECTS) -> Dataset:
    """Datasets of one to five fields of any type and constraint."""
    kinds = draw(st.lists(st.sampled_from(list(FieldType)), min_size=1, max_size=5))
    fields = []
    for index, kind in enumerate(kinds):
        field: dict[str, Any] = {"name": f"f{index}", "type": str(kind), "constraints": draw(constraints(str(kind)))}
        if draw(st.integers(0, 3)) == 0:
            field["missingValues"] = draw(st.sampled_from([["", "NA"], ["NA"], ["null", "7", "true"], []]))
        if kind is FieldType.BOOLEAN and draw(st.booleans()):
            field["trueValues"], field["falseValues"] = ["true", "ja", "yes", "0"], ["false", "nein", "no", "1"]
        fields.append(field)
    dialect = draw(dialects)
    return parse_dataset(
        {
            "name": "things",
            "dialect": {"delimiter": dialect.delimiter, "quoteChar": dialect.quote_char},
            "schema": {"fields": fields},
        }
    )


def _values_for(field: Field) -> st.SearchStrategy[str]:
    check = compile_check(field)
    likely = [*_GOOD[field.type], *(field.constraints.enum or ()), *field.missing_values]
    good = []
    for value in likely:
        errors: list[RecordError] = []
        check(value, errors)
        if not errors:
            good.append(value)
    pools = [st.sampled_from(good or likely)] * 12 + [st.sampled_from(likely), VALUES]
    return st.integers(0, len(pools) - 1).flatmap(pools.__getitem__)


@st.composite
def lines(draw: st.DrawFn, dataset: Dataset, columns: Sequence[str]) -> bytes:
    """One record, mostly right, quoted where it must be, sometimes where it need not."""
    declared = {field.name: field for field in dataset.fields}
    cells = [draw(_values_for(declared[name]) if name in declared else VALUES) for name in columns]
    quote_all = draw(st.integers(0, 2)) == 0
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    return written(cells, dataset.dialect, quote_all=quote_all).encode() + end.encode()


def written(cells: Sequence[str], dialect: Dialect, *, quote_all: bool = False) -> str:
    """A record as the csv module writes it, without its line end."""
    out = io.StringIO(newline="")
    csv.writer(
        out,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote_char,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
    ).writerow(cells)
    return out.getvalue().removesuffix("\r\n")


@st.composite
def files(draw: st.DrawFn, dataset: Dataset, columns: Sequence[str]) -> bytes:
    """The data of a file: mostly right lines, damaged here and there."""
    data = bytearray(b"".join(draw(st.lists(lines(dataset, columns), max_size=12))))
    d, q = dataset.dialect.delimiter.encode(), dataset.dialect.quote_char.encode()
    junk = [
        d,
        q,
        q,
        q + q,
        *(b"\n", b"\n\n", b"\r\n", b"\r", b"\xff", b"\xc3", b"\0", b" ", b"x", b"\\", b"1", b"-", b"+"),
    ]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(junk))
    if draw(st.booleans()) and data.endswith(b"\n"):
        del data[-1]
    return bytes(data)


@st.composite
def soups(draw: st.DrawFn, dialect: Dialect) -> bytes:
    """Bytes with nothing but what matters to where records end."""
    d, q = dialect.delimiter.encode(), dialect.quote_char.encode()
    tokens = st.sampled_from([d, q, q, b"\n", b"\n", b"\r\n", b"x", b"yy", b"\r", q + q, d + q, q + d, q + b"\n"])
    return b"".join(draw(st.lists(tokens, max_size=60)))
