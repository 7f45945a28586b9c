"""Whatever a record holds, what stands in its sensitive columns is not shown."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.containers import CSV, JSONL
from chalicelib.core.dataset import parse_dataset
from chalicelib.core.masking import shown_cells
from chalicelib.core.render import record_of
from chalicelib.core.schema import Dataset
from tests.property.strategies import DIALECTS, described

NAMES = ("a", "b", "c", "d")
SECRET = "s3cr3t"  # in no other cell
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).filter(
    lambda text: SECRET not in text.casefold()
)
SECRETS = st.tuples(CELLS, CELLS).map(SECRET.join)


@st.composite
def records(draw: st.DrawFn) -> tuple[Dataset, list[str], list[str]]:
    """A dataset, the labels of a file of it in any order with others among them, and a record's cells."""
    sensitive = draw(st.sets(st.sampled_from(NAMES)))
    dataset = parse_dataset(
        {
            "name": "things",
            "schema": {"fields": [{"name": name, "type": "string"} for name in NAMES]},
            "dialect": described(draw(DIALECTS)),
            "dropload": {"sensitive": sorted(sensitive)},
        }
    )
    labels = draw(st.permutations([*NAMES, "e", "f"]))
    return dataset, labels, [draw(SECRETS if label in sensitive or label > "d" else CELLS) for label in labels]


@given(records(), st.sets(st.sampled_from([*NAMES, None])))
def test_no_secret_is_shown_of_a_csv_record(made: tuple[Dataset, list[str], list[str]], wrong: set[str | None]) -> None:
    dataset, labels, cells = made
    raw = record_of(cells, dataset.dialect)
    if raw is None:
        return
    shown = shown_cells(raw, wrong, form=CSV, labels=labels, dataset=dataset)
    assert SECRET not in repr(shown)
    if shown is not None:
        assert {cell.column for cell in shown if cell.text is None} >= set(dataset.sensitive)


@given(records(), st.binary(max_size=3), st.integers(0, 100))
def test_no_secret_is_shown_of_a_damaged_csv_record(
    made: tuple[Dataset, list[str], list[str]], noise: bytes, at: int
) -> None:
    """Bytes are put in anywhere; as long as the cells are as many as before, each is where it was."""
    dataset, labels, cells = made
    raw = record_of(cells, dataset.dialect)
    special = {dataset.dialect.delimiter, dataset.dialect.quote_char, dataset.dialect.escape, " "}
    if raw is None or any(character in noise.decode("latin-1") for character in special - {""}):
        return
    shown = shown_cells(raw[:at] + noise + raw[at:], (None,), form=CSV, labels=labels, dataset=dataset)
    if shown is not None:
        assert {cell.column for cell in shown if cell.text is None} >= set(dataset.sensitive)
        assert SECRET not in repr(shown)


@given(records(), st.booleans())
def test_no_secret_is_shown_of_a_json_record(made: tuple[Dataset, list[str], list[str]], nested: bool) -> None:
    dataset, labels, cells = made
    members = {label: [cell] if nested else cell for label, cell in zip(labels, cells, strict=True)}
    raw = json.dumps(members).encode()
    shown = shown_cells(raw, ("a",), form=JSONL, labels=labels, dataset=dataset)
    assert shown is not None
    assert SECRET not in repr(shown)


@given(records(), st.integers(0, 5), st.sampled_from(NAMES))
def test_a_secret_that_is_repeated_in_another_column_is_not_shown(
    made: tuple[Dataset, list[str], list[str]], pad: int, column: str
) -> None:
    dataset, labels, cells = made
    secret = next((cell for label, cell in zip(labels, cells, strict=True) if label in dataset.sensitive), None)
    if secret is None:
        return
    members = dict(zip(labels, cells, strict=True)) | {column: "x" * pad + secret + "y" * pad}
    shown = shown_cells(json.dumps(members).encode(), ("a",), form=JSONL, labels=labels, dataset=dataset)
    assert SECRET not in repr(shown)
