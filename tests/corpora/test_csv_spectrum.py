"""csv-spectrum: the engine reads what each file is said to mean."""

import json
from pathlib import Path

from chalicelib.core.dataset import parse_dataset
from tests.corpora.cases import cases
from tests.corpora.engine import run


@cases("csv-spectrum", "*.csv")
def test_engine_reads_what_csv_spectrum_says(path: Path) -> None:
    meant = json.loads(path.with_suffix(".json").read_text("utf-8"))
    fields = [{"name": name, "type": "string"} for name in meant[0]]
    # Without missing values an empty cell is an empty text, as in the JSON.
    dataset = parse_dataset({"name": "spectrum", "schema": {"fields": fields, "missingValues": []}, "dropload": {}})
    assert run(path.read_bytes(), dataset) == (meant, [])
