import pytest

from chalicelib.core.containers import CSV, JSONL
from chalicelib.core.masking import MAX_SHOWN, shown_cells
from chalicelib.core.schema import Dataset
from tests.unit.examples import COLUMNS, dataset

PEOPLE = dataset(sensitive=["name", "phone"])


def shown(
    raw: str | bytes, *wrong: str | None, form: str = CSV, labels: tuple[str, ...] = COLUMNS, of: Dataset = PEOPLE
) -> dict[str, str | None] | None:
    cells = shown_cells(
        raw if isinstance(raw, bytes) else raw.encode(), wrong or ("joined",), form=form, labels=labels, dataset=of
    )
    return None if cells is None else {cell.column: cell.text for cell in cells}


def test_sensitive_columns_are_masked_and_others_shown() -> None:
    assert shown("Ana,0123456789,7,yesterday") == {"name": None, "phone": None, "number": "7", "joined": "yesterday"}


def test_without_sensitive_columns_all_is_shown_as_it_reads() -> None:
    assert shown('"Ana, the ""first""",1,7,x', of=dataset()) == {
        "name": 'Ana, the "first"',
        "phone": "1",
        "number": "7",
        "joined": "x",
    }


def test_columns_are_found_by_their_labels_in_any_order() -> None:
    relaxed = dataset(sensitive=["name"], header_match="relaxed", aliases={"phone": ["Telephone"]})
    cells = shown("yesterday,Ana,5", labels=("JOINED", " Name", "telephone"), of=relaxed)
    assert cells == {"joined": "yesterday", "name": None, "phone": "5"}


def test_columns_that_nobody_declared_are_not_shown() -> None:
    assert shown("7,diabetes", labels=("number", "notes")) == {"number": "7"}


@pytest.mark.parametrize(
    "raw",
    [
        b"Ana,0123456789,7",
        b"Ana,Silva,0123456789,7,2024-01-31",
        b'"Ana,0123456789,7,2024-01-31',
        b"Ana\xff,0123456789,7,2024-01-31",
        b"",
    ],
)
def test_nothing_is_shown_of_a_record_that_does_not_fit_the_columns(raw: bytes) -> None:
    assert shown(raw, None) is None


def test_nothing_is_shown_where_cells_seem_to_stand_in_wrong_columns() -> None:
    # a comma too many behind the first name, and no date
    assert shown("Ana,Maria,0123456789,7", "phone", "number", "joined") is None


def test_a_sensitive_value_is_masked_wherever_it_stands() -> None:
    assert shown("Ana,0123456789,0123456789,call 0123456789 ") == {
        "name": None,
        "phone": None,
        "number": None,
        "joined": None,
    }
    assert shown("Ana,7,17,ana") == {"name": None, "phone": None, "number": "17", "joined": None}


def test_long_texts_are_cut() -> None:
    cells = shown("Ana,0123456789,7," + "x" * 1000)
    assert cells is not None
    assert cells["joined"] == "x" * MAX_SHOWN


def test_members_of_json_lines_are_masked_by_name() -> None:
    raw = '{"number": 7.10, "name": "Ana", "joined": {"a": [1, null]}, "phone": null, "diagnosis": "flu"}'
    assert shown(raw, form=JSONL) == {"number": "7.10", "name": None, "joined": '{"a": [1, null]}', "phone": None}


@pytest.mark.parametrize("raw", ['{"name": "Ana"', '["Ana"]', "Ana", '{"number": 1, "number": "Ana"}', b"\xff"])
def test_nothing_is_shown_of_what_is_no_json_record(raw: str | bytes) -> None:
    assert shown(raw, form=JSONL) is None
