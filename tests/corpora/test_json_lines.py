"""The corpora as JSON Lines: the same records as their CSV means, and every naughty string as it is or rejected."""

import json
from pathlib import Path

from chalicelib.core.dataset import parse_dataset
from chalicelib.core.jsonlines import JsonLinesReader
from chalicelib.core.parsed import Parsed
from tests.corpora.cases import cases


def read(records: list[dict[str, str]], *, ascii_only: bool = False) -> Parsed:
    fields = [{"name": name, "type": "string"} for name in records[0]]
    dataset = parse_dataset({"name": "things", "schema": {"fields": fields, "missingValues": []}})
    data = "".join(json.dumps(record, ensure_ascii=ascii_only) + "\n" for record in records)
    return JsonLinesReader(dataset, tuple(records[0]), 1 << 20).read(data.encode(), offset=0, first_line=1)


def rows(parsed: Parsed) -> list[tuple[str | None, ...]]:
    """The accepted rows in file order."""
    fast = [tuple(line.split("\x1f")) for line in parsed.fast.decode().split("\n")[:-1]]
    found = [*fast, *parsed.slow]
    return [found[row] for row in sorted(range(len(found)), key=lambda row: parsed.where(row).record)]


@cases("csv-spectrum", "*.json")
def test_records_of_csv_spectrum_come_out_of_json_lines(path: Path) -> None:
    meant = json.loads(path.read_text("utf-8"))
    assert rows(read(meant)) == rows(read(meant, ascii_only=True)) == [tuple(record.values()) for record in meant]


@cases("blns", "*.json")
def test_naughty_strings_come_out_as_they_are_or_are_rejected_for_what_no_text_has(path: Path) -> None:
    strings = json.loads(path.read_text("utf-8"))
    records = [{"key": str(number), "value": string} for number, string in enumerate(strings)]
    for ascii_only in (False, True):
        parsed = read(records, ascii_only=ascii_only)
        refused = {rejection.record - 1 for rejection in parsed.rejections}
        assert {error.code for rejection in parsed.rejections for error in rejection.errors} <= {"encoding-error"}
        assert all("\0" in strings[number] for number in refused)
        assert rows(parsed) == [tuple(r.values()) for number, r in enumerate(records) if number not in refused]
