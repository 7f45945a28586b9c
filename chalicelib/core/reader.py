"""A batch into rows and rejections, at nearly the speed of memory where the data are good.

An expression compiled from the dataset matches runs of records that are surely good; their bytes go to COPY as they
are. Where it stops, the exact rules alone decide about one record and explain; then the expression resumes. It only
ever has to be conservative: what it does not surely accept costs time, never correctness.
"""

from collections.abc import Sequence
from functools import lru_cache

from chalicelib.core.cut import Cut
from chalicelib.core.exact import RecordRules
from chalicelib.core.fastpath import compile_fast_path
from chalicelib.core.keys import KeyReader
from chalicelib.core.labels import resolve
from chalicelib.core.parsed import Parsed
from chalicelib.core.reading import Reading
from chalicelib.core.records import grammar_of
from chalicelib.core.rejection import too_long
from chalicelib.core.rejections import Rejections
from chalicelib.core.schema import Dataset

__all__ = ["Parsed", "Reader", "compile_reader"]


class Reader:
    """Reads batches of files that have ``columns`` (the header's labels), by the rules of a dataset.

    ``fast_columns`` are the columns of ``Parsed.fast``: the file's, with ``None`` for one that is not declared.
    ``slow_columns`` are those of ``Parsed.slow``: the declared ones, in file order.

    ``Parsed.fast`` means what the rules say only in a session whose time zone is UTC: a ``datetime`` without an offset
    is in UTC. ``fast_path=False`` leaves every record to the exact rules.
    """

    def __init__(
        self, dataset: Dataset, columns: Sequence[str], max_record_bytes: int, *, fast_path: bool = True
    ) -> None:
        columns = resolve(columns, dataset)
        declared = {field.name for field in dataset.fields}
        self.fast_columns = tuple(name if name in declared else None for name in columns)
        self.slow_columns = tuple(name for name in columns if name in declared)
        self._grammar = grammar_of(dataset.dialect)
        self._max = max_record_bytes
        self._rules = RecordRules(dataset, columns, max_record_bytes)
        self._fast_path = compile_fast_path(dataset, columns) if fast_path else None
        self._keys = KeyReader(dataset, columns)

    def read(self, data: bytes, *, offset: int, first_line: int) -> Parsed:
        """Read one batch: whole records, whose first byte is at ``offset`` on line ``first_line`` of the file."""
        reading = Reading(data, offset, first_line, self._grammar, self._rules, self._max)
        if self._fast_path is None:
            reading.read_exactly(len(data))
        else:
            reading.read(self._fast_path)
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

    def has(self, key: Sequence[str]) -> bool:
        """Tell whether the files have every column of a key; where they have not, it is null and meets nothing."""
        return set(key) <= set(self.slow_columns)

    def oversize(self, cut: Cut) -> Parsed:
        """Read a cut that is one line longer than a record may be, without its bytes."""
        rejection = too_long(
            record=1,
            line=cut.first_line,
            offset=cut.start,
            length=cut.end - cut.start,
            max_record_bytes=self._max,
        )
        rejections = Rejections(b"", cut.start)
        rejections.append(rejection)
        return Parsed(1, b"", 0, [], rejections, b"", cut.start, [], [], self._keys)


@lru_cache(maxsize=64)
def compile_reader(dataset: Dataset, columns: tuple[str, ...], max_record_bytes: int) -> Reader:
    """Return the reader of a dataset's files with these columns, compiled once."""
    return Reader(dataset, columns, max_record_bytes)
