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

PLAIN_DIALECTS = [
    Dialect(),
    Dialect(),
    Dialect(";"),
    Dialect("\t"),
    Dialect("|", "'"),
    Dialect("~", "^"),
    Dialect("-", "]"),
]
ODD_DIALECTS = [
    Dialect(escape="\\"),
    Dialect(escape="\\", double_quote=False),
    Dialect(";", "'", escape="^", comment="#"),
    Dialect(double_quote=False),
    Dialect(comment="#"),
    Dialect("|", comment="-", skip_initial_space=True),
    Dialect(skip_initial_space=True),
    Dialect(skip_initial_space=True, escape="~", comment="%", double_quote=False),
]
DIALECTS = st.sampled_from(PLAIN_DIALECTS + ODD_DIALECTS)


def described(dialect: Dialect) -> dict[str, Any]:
    """A dialect as a descriptor says it."""
    said: dict[str, Any] = {
        "delimiter": dialect.delimiter,
        "quoteChar": dialect.quote_char,
        "doubleQuote": dialect.double_quote,
        "skipInitialSpace": dialect.skip_initial_space,
    }
    said |= {"escapeChar": dialect.escape} if dialect.escape else {}
    return said | ({"commentChar": dialect.comment} if dialect.comment else {})


def csv_form(dialect: Dialect) -> dict[str, Any]:
    """A dialect as the csv module says it; it knows no comments."""
    return {
        "delimiter": dialect.delimiter,
        "quotechar": dialect.quote_char,
        "doublequote": dialect.double_quote,
        "escapechar": dialect.escape or None,
        "skipinitialspace": dialect.skip_initial_space,
    }


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
_DRESSED = [
    "1.234,5",
    "1.234",
    "1,5",
    "1 234",
    "1.2345",
    "12,34,567.5",
    "$5",
    "5 EUR",
    "95%",
    "-€5",
    "(5)",
    "Rs.5",
    "-,5",
]
_EMAILS = ["ana@example.com", "A.B+c@x-y.example.org", "ana@localhost", "ana", "a@b@c", "a@-b.com", "ana@exämple.com"]
_URIS = ["https://example.com/a/b", "mailto:a@b", "http://[::1]:80/?q#f", "http://[:::]/", "a b:c", "//x", "urn:x:%zz"]
_UUIDS = ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "123e4567e89b12d3a456"]
_DATES_BY_PATTERN = ["31/12/2024", "1/2/2024", "31/02/2024", "31 Jan 2024", "Jan 31, 2024", "20240229", "240229"]
_TIMES_BY_PATTERN = ["12:30", "1:05 PM", "13:05 PM", "0930", "09:30:15.25"]
_INSTANTS_BY_PATTERN = [
    "31/12/2024 23:59",
    "2024-02-29 12:00:00",
    "2024-02-29T12:00:00+0200",
    "31 Jan 2024 1:05 pm +02:00",
]
_YEARS = ["2024", "0000", "-0044", "12345", "24", "02024", "2024Z", "1999"]
_MONTHS = ["2024-02", "2024-13", "0001-01", "02/2024", "2024-2", "Feb 2024"]
_DURATIONS = [
    "P1Y2M3DT4H5M6.5S",
    "P1M",
    "P30D",
    "PT24H",
    "P1D",
    "-P1D",
    "-PT0.5S",
    "P2W",
    "PT",
    "P",
    "P1",
    "P1.5D",
    "PT99999H",
]
_OBJECTS = [
    "{}",
    '{"a": 1}',
    '{"a":1.0}',
    '{"b": [1, null], "a": "\\u00e9"}',
    '{"a": "\\u0000"}',
    '{"a": NaN}',
    "{'a': 1}",
    "[[" * 99,
]
_ARRAYS = ["[]", "[1]", "[1.0]", '["a,b", {"c": true}]', "[true]", "[1,]", "1", "null", '["\\ud800"]']
_POINTS = [
    "90.5, 45.50",
    "90.5,45.5",
    "181,0",
    "0,-90.1",
    "1",
    "[90.5, 45.50]",
    "[1]",
    '{"lon": 90.5, "lat": 45}',
    '{"lon": 1}',
]
VALUES = st.sampled_from(
    [
        *(*_WORDS, *_NUMBERS, *_NOT_INTEGERS, *_DECIMALS, *_DRESSED, *_DATES, *_TIMES, *_INSTANTS, *_BOOLEANS),
        *(*_EMAILS, *_URIS, *_UUIDS, *_DATES_BY_PATTERN, *_TIMES_BY_PATTERN, *_INSTANTS_BY_PATTERN),
        *(*_YEARS, *_MONTHS, *_DURATIONS, *_OBJECTS, *_ARRAYS, *_POINTS),
    ]
) | st.text(max_size=6)
_PATTERNS = ["[0-9]{1,4}", "[A-Z][a-z]+", "(?:a|b|ab)*", "^\\d{3}-\\d{2}$", "\\w+", "[^x]*", ".+", "x?y{2,}"]

GOOD: dict[str, Sequence[str]] = {
    "string": [*_WORDS, *_EMAILS, *_URIS, *_UUIDS],
    "any": _WORDS,
    "integer": [*_NUMBERS, *_DRESSED],
    "number": [*_NUMBERS, *_DECIMALS, *_DRESSED],
    "boolean": _BOOLEANS,
    "date": [*_DATES, *_DATES_BY_PATTERN],
    "time": [*_TIMES, *_TIMES_BY_PATTERN],
    "datetime": [*_INSTANTS, *_INSTANTS_BY_PATTERN],
    "year": _YEARS,
    "yearmonth": _MONTHS,
    "duration": _DURATIONS,
    "object": _OBJECTS,
    "array": _ARRAYS,
    "geopoint": _POINTS,
}
FORMS: dict[str, Sequence[dict[str, Any]]] = {
    "string": [{"format": "email"}, {"format": "uri"}, {"format": "uuid"}],
    "integer": [{"groupChar": "."}, {"bareNumber": False}, {"groupChar": ",", "bareNumber": False}],
    "number": [
        {"decimalChar": ","},
        {"decimalChar": ",", "groupChar": "."},
        {"groupChar": " "},
        {"groupChar": ",", "bareNumber": False},
        {"bareNumber": False},
    ],
    "date": [{"format": form} for form in ("any", "%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%Y%m%d", "%y%m%d")],
    "time": [{"format": form} for form in ("any", "%H:%M:%S", "%H:%M", "%I:%M %p", "%H%M")],
    "datetime": [{"format": form} for form in ("any", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%d/%m/%Y %H:%M")],
    "year": [{"format": "%Y"}, {"format": "%y"}],
    "yearmonth": [{"format": "%m/%Y"}, {"format": "%Y-%m"}],
    "geopoint": [{"format": "array"}, {"format": "object"}],
}
"""What a field of a type may say besides, of how its values are written."""
_NEVER_FAST = (FieldType.OBJECT, FieldType.ARRAY, FieldType.GEOPOINT)
_ENUMS: dict[str, Sequence[Any]] = {
    "boolean": ["true"],
    "integer": [0, 7, 100, -1],
    "number": ["1.5", 7],
    "date": ["2024-02-29"],
    "time": ["00:00:00"],
    "datetime": ["2024-01-31T12:00:00Z"],
    "year": [2024, "0000"],
    "yearmonth": ["2024-02"],
    "duration": ["P1M", "P1D"],
    "object": [{"a": 1}, "{}"],
    "array": [[1], []],
}
_BOUNDS: dict[str, Sequence[Any]] = {
    "integer": [-100, -1, 0, 1, 5, 99, 100, 1234, 2147483647],
    "number": [-100, -0.5, 0, 1, 5.5, 99, 100],
    "date": ["2000-01-01", "2024-02-28", "2024-12-31", "2030-06-15"],
    "time": ["00:00:00", "06:30:00", "12:00:00", "22:15:00.5"],
    "datetime": ["2000-01-01T00:00:00", "2024-06-30T12:00:00Z", "2030-01-01T00:00:00+02:00"],
    "year": [-44, 0, 1999, 2024, 3000],
    "yearmonth": ["2000-01", "2024-01", "2024-12"],
    "duration": ["-P1D", "PT1H", "P1M", "P1Y"],
}


@st.composite
def constraints(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Constraints that a field of this type may have."""
    drawn: dict[str, Any] = {"required": draw(st.booleans())}
    if kind in _BOUNDS:
        places = st.sampled_from(range(len(_BOUNDS[kind])))
        low, high = sorted(draw(st.lists(places, min_size=2, max_size=2, unique=True)))
        if draw(st.booleans()):
            drawn[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = _BOUNDS[kind][low]
        if draw(st.booleans()):
            drawn[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = _BOUNDS[kind][high]
    if kind in ("object", "array") and draw(st.booleans()):
        drawn["maxLength"] = draw(st.integers(0, 2))
    if kind in ("string", "any"):
        least, most = sorted(draw(st.tuples(st.integers(0, 6), st.integers(0, 60))))
        if draw(st.booleans()):
            drawn["minLength"] = least
        if draw(st.booleans()):
            drawn["maxLength"] = most
        if draw(st.integers(0, 4)) == 0:
            drawn["pattern"] = draw(st.sampled_from(_PATTERNS))
    if draw(st.integers(0, 9)) == 0 and kind != "geopoint":
        drawn["enum"] = _ENUMS.get(kind) or _WORDS[:3]
    return drawn


@st.composite
def datasets(draw: st.DrawFn, dialects: st.SearchStrategy[Dialect] = DIALECTS) -> Dataset:
    """Datasets of one to five fields of any type and constraint."""
    # One field without a fast path leaves its dataset without one.
    pool = draw(st.sampled_from([list(FieldType), [kind for kind in FieldType if kind not in _NEVER_FAST]]))
    kinds = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=5))
    fields = []
    for index, kind in enumerate(kinds):
        field: dict[str, Any] = {"name": f"f{index}", "type": str(kind), "constraints": draw(constraints(str(kind)))}
        if kind in FORMS and draw(st.integers(0, 2)) == 0:
            field |= draw(st.sampled_from(FORMS[kind]))
            if kind is FieldType.STRING:
                field["constraints"] = {"required": draw(st.booleans())}
        if draw(st.integers(0, 3)) == 0:
            field["missingValues"] = draw(st.sampled_from([["", "NA"], ["NA", "José"], ["null", "7", "true"], []]))
        if kind is FieldType.BOOLEAN and draw(st.booleans()):
            field["trueValues"], field["falseValues"] = ["true", "ja", "yes", "0"], ["false", "nein", "no", "1"]
        fields.append(field)
    dialect = draw(dialects)
    return parse_dataset(
        {
            "name": "things",
            "dialect": described(dialect),
            "schema": {"fields": fields},
        }
    )


def values_for(field: Field) -> st.SearchStrategy[str]:
    check = compile_check(field)
    likely = [*GOOD[field.type], *(field.constraints.enum or ()), *field.missing_values]
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
    cells = [draw(values_for(declared[name]) if name in declared else VALUES) for name in columns]
    quote_all = draw(st.integers(0, 2)) == 0
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    return written(cells, dataset.dialect, quote_all=quote_all).encode() + end.encode()


def written(cells: Sequence[str], dialect: Dialect, *, quote_all: bool = False) -> str:
    """A record as the csv module writes it, without its line end."""
    if not dialect.double_quote and not dialect.escape:
        cells = [cell.replace(dialect.quote_char, "") for cell in cells]  # there is no way to say it
    out = io.StringIO(newline="")
    csv.writer(
        out,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        lineterminator="\r\n",
        **csv_form(dialect),
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
        *specials(dataset.dialect),
    ]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.sampled_from(junk))
    if draw(st.booleans()) and data.endswith(b"\n"):
        del data[-1]
    return bytes(data)


def specials(dialect: Dialect) -> list[bytes]:
    """What else matters to where records end in this dialect."""
    e, c = dialect.escape.encode(), dialect.comment.encode()
    found = [e, e + e, e + b"\n", e + dialect.quote_char.encode()] if e else []
    found += [c, b"\n" + c, b"\n" + c + dialect.quote_char.encode()] if c else []
    return found + ([b" ", dialect.delimiter.encode() + b" "] if dialect.skip_initial_space else [])


@st.composite
def soups(draw: st.DrawFn, dialect: Dialect) -> bytes:
    """Bytes with nothing but what matters to where records end."""
    d, q = dialect.delimiter.encode(), dialect.quote_char.encode()
    common = [d, q, q, b"\n", b"\n", b"\r\n", b"x", b"yy", b"\r", q + q, d + q, q + d, q + b"\n"]
    tokens = st.sampled_from(common + specials(dialect))
    return b"".join(draw(st.lists(tokens, max_size=60)))
