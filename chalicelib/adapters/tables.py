"""Tables in S3's objects. Only the convert function has the libraries that they are read by, each when it is needed."""

import io

from chalicelib.adapters.ranged import RangedFile
from chalicelib.core.containers import XLSX
from chalicelib.core.schema import Dataset
from chalicelib.services.ports import ObjectStore, StoredObject, Table

_BLOCK = 4 << 20  # a zip archive is read forwards, some bytes at a time
_MOST_DIRECTORY = 4 << 20  # bytes of its directory, which becomes many times as large in memory
_MOST_READ = 256 << 20  # of Parquet: a footer, or a page


class StoredTables:
    """See ``services.ports.Tables``."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def open(self, stored: StoredObject, container: str, dataset: Dataset) -> Table:
        def read(start: int, end: int) -> bytes:
            return self._objects.read(stored, start, end)

        if container == XLSX:
            from chalicelib.adapters.excel_table import ExcelTable

            file = RangedFile(read, stored.size, most_bytes=max(_BLOCK, _MOST_DIRECTORY))
            return ExcelTable(io.BufferedReader(file, _BLOCK), dataset)
        from chalicelib.adapters.parquet import ParquetTable

        return ParquetTable(RangedFile(read, stored.size, most_bytes=_MOST_READ), dataset)
