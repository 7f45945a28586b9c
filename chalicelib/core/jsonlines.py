"""JSON Lines: each physical line that is not blank is a record, a JSON object; its members are found by their names."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from chalicelib.core.jsonfast import PAYLOAD
from chalicelib.core.jsonreading import JsonReading
from chalicelib.core.jsonrules import ObjectRules
from chalicelib.core.keys import KeyReader
from chalicelib.core.labels import resolve
from chalicelib.core.parsed import Parsed
from chalicelib.core.reader import Reader
from chalicelib.core.schema import Dataset


class JsonLinesReader(Reader):
    """Reads batches of JSON Lines by the rules of a dataset, whose dialect means nothing to them.

    ``columns`` are labels of members; members of any other name are unknown to the dataset. ``Parsed.fast`` is in the
    dialect ``jsonfast.PAYLOAD``. ``fast_path=False`` leaves every record to the exact rules.
    """

    def __init__(
        self, dataset: Dataset, columns: Sequence[str], max_record_bytes: int, *, fast_path: bool = True
    ) -> None:
        declared = {field.name: field for field in dataset.fields}
        names = tuple(name for name in resolve(columns, dataset) if name in declared)
        self.fast_columns = self.slow_columns = names
        self._max = max_record_bytes
        self._object_rules = ObjectRules(dataset, [declared[name] for name in names])
        self._keys = KeyReader(read_as_json(dataset), names)
        self._by_shapes = fast_path

    def read(self, data: bytes, *, offset: int, first_line: int) -> Parsed:
        """Read one batch: whole lines, of which the first is line ``first_line`` and begins at ``offset``."""
        reading = JsonReading(data, offset, first_line, self._object_rules, self._max)
        if self._by_shapes:
            reading.read()
        else:
            reading.read_exactly(len(data))
        return Parsed(
            records=reading.record,
            fast=reading.payload(),
            fast_rows=reading.fast_rows,
            slow=reading.slow,
            rejections=reading.rejections,
            _data=data,
            _offset=offset,
            _runs=reading.runs,
            _slow_records=reading.slow_records,
            _key_reader=self._keys,
        )


def read_as_json(dataset: Dataset) -> Dataset:
    """Return the dataset as JSON Lines of it are loaded: in the dialect of their payload."""
    return replace(dataset, dialect=PAYLOAD)


@lru_cache(maxsize=64)
def compile_json_reader(dataset: Dataset, columns: tuple[str, ...], max_record_bytes: int) -> JsonLinesReader:
    """Return the reader of a dataset's JSON Lines with these columns, compiled once."""
    return JsonLinesReader(dataset, columns, max_record_bytes)
