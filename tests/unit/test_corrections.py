"""Corrections: how they are known, and what odd rows of them come to."""

import pytest

from chalicelib.core.correcting import CorrectionReader
from chalicelib.core.dataset import Dataset, parse_dataset
from chalicelib.core.header import read_layout
from chalicelib.core.jsoncorrections import cut_members
from chalicelib.core.render import ERROR_COLUMNS

LABELS = (*ERROR_COLUMNS, "a", "b")
HEADER = ",".join(LABELS)


def things(**dialect: object) -> Dataset:
    fields = [{"name": "a", "type": "string"}, {"name": "b", "type": "integer", "constraints": {"required": True}}]
    return parse_dataset({"name": "things", "dialect": dialect, "schema": {"fields": fields}})


def codes(row: str, labels: tuple[str, ...] = LABELS) -> list[list[str]]:
    """The codes of each rejection in these rows."""
    parsed = CorrectionReader(things(), labels, 1000).read(row.encode(), offset=0, first_line=2)
    assert parsed.records == len(parsed.slow) + len(parsed.rejections)
    return [[error.code for error in rejection.errors] for rejection in parsed.rejections]


@pytest.mark.parametrize(
    ("dialect", "header", "labels"),
    [
        ({"delimiter": ","}, HEADER, LABELS),
        ({"delimiter": ","}, HEADER.replace("_line", "_line "), ("_error_line ", *LABELS[1:])),
        ({"delimiter": ","}, "b,_error_line,a", ("b", "_error_line", "a")),
        ({}, HEADER.replace(",", ";"), LABELS),
        ({"header": False}, HEADER.replace(",", "\t"), LABELS),
        ({"header": False, "delimiter": ","}, HEADER, LABELS),
        ({"headerRows": [2, 4], "delimiter": ","}, HEADER, LABELS),
        ({"commentChar": "#"}, "# mended by Ana\n" + HEADER, LABELS),
    ],
    ids=["plain", "blank", "moved", "detected", "no header, detected", "no header", "header rows", "comment"],
)
def test_a_correction_is_known_by_its_labels(dialect: dict[str, object], header: str, labels: tuple[str, ...]) -> None:
    layout = read_layout(f"{header}\n".encode(), things(**dialect), at_end=True)
    assert layout is not None
    assert layout.labels == labels
    assert sorted(layout.columns) == ["a", "b"]
    assert layout.data_start == len(header) + 1


@pytest.mark.parametrize(
    ("dialect", "first"), [({"header": False}, "_error_line,3"), ({}, "a,b"), ({}, "a,b,_error_lines")]
)
def test_other_files_are_none(dialect: dict[str, object], first: str) -> None:
    layout = read_layout(f"{first}\n".encode(), things(**dialect), at_end=True)
    assert layout is not None
    assert layout.labels is None


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ("x,7", []),
        ("#x,7", []),
        ("_raw:x,7", []),
        ('"_raw:x,7"', []),
        ('"_raw:x,7",,,', []),
        ("_raw:", ["row-error"]),
        ("_raw:,", ["row-error"]),
        (r"_raw:\q", ["row-error"]),
        (r'"_raw:x,7\nx,8"', ["row-error"]),
        (r'"_raw:x,7\n"', ["row-error"]),
        (r'"_raw:""x\ny"",7"', []),
        (r'"_raw:x\xFF,7"', ["encoding-error"]),
        ("", ["missing-cell"]),
        ("x", ["missing-cell"]),
        ("x,7,8", ["extra-cell"]),
        (",", ["constraint-error"]),
        ('"x"y,7', ["row-error"]),
        ("x" * 1001 + ",7", ["row-error"]),
    ],
)
def test_what_is_behind_the_error_cells_is_judged_alone(own: str, wanted: list[str]) -> None:
    assert codes(f"12,3,b,type-error,why,{own}\n") == ([wanted] if wanted else [])


def test_rows_that_end_too_soon_and_blank_lines() -> None:
    assert codes("12,3,b\n\n\r\n12\n") == [["missing-cell"], ["missing-cell"]]
    assert codes("x,12,7\nx,12\n", ("a", "_error_line", "b")) == [["missing-cell"]]


@pytest.mark.parametrize(
    ("record", "own"),
    [
        ('{"_error_line": 1, "_error_code": "a\\"b", "a": 1}', '{"a": 1}'),
        ('{"_error_line": 1}', "{}"),
        ('{"_error_line": 1, "a": ', '{"a": '),
        ('{"a": [1.50], "_error_line": 1, "b":{"_error_line":2}}', '{"a": [1.50], "b": {"_error_line":2}}'),
        ('{"a": 1}', '{"a": 1}'),
        ('{"a": 1, "_raw": null}', '{"a": 1}'),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_members_are_cut_off_wherever_they_are(record: str, own: str) -> None:
    assert cut_members(record.encode())[1] == own.encode()
