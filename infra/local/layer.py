"""The layer of the functions that read and write Parquet and Excel: requirements-convert.txt, without what is not run.

Lambda takes 250 MB for a function and its layers, unzipped; pyarrow alone is 170.
"""

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = "python"
"""Where Lambda's Python looks for modules in a layer."""

_UNUSED = re.compile(
    r"(?:.*/)?(?:tests|include|includes|src|bin)/.*"
    r"|.*\.(?:pyx|pxd|pxi|pyi|h|cmake|pc)"
    r"|pyarrow/_?(?:lib)?(?:arrow_)?(?:python_)?(?:flight|s3|s3fs)\..*"  # servers, and S3 by a client of its own
    # A wheel has no links: these libraries stand in it under three names each, and are loaded by one.
    r"|pyarrow/libarrow_python\w*\.so(?:\.[0-9]+\.[0-9]+\.[0-9]+)?"
).fullmatch


class Layer(NamedTuple):
    """A layer on disk, and its sizes in bytes."""

    path: Path
    zipped: int
    unzipped: int


def is_needed(path: str) -> bool:
    """Whether a file of the layer, by its path below ``FOLDER``, is used when the functions run."""
    return not _UNUSED(path)


def make_layer(packages: Path, target: Path) -> Layer:
    """Zip what is needed of the folder ``packages``, where the requirements have been installed, and remove it."""
    unzipped = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as layer:
        for file, name in _files(packages):
            if is_needed(name):
                unzipped += file.stat().st_size
                layer.write(file, f"{FOLDER}/{name}")
    shutil.rmtree(packages)
    return Layer(target, target.stat().st_size, unzipped)


def _files(packages: Path) -> Iterator[tuple[Path, str]]:
    for file in sorted(packages.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file, file.relative_to(packages).as_posix()
