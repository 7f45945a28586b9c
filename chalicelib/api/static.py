"""Files of ``chalicelib/web``, by a fixed list: no path that was asked for ever reaches the file system."""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chalice import Response

from chalicelib.errors import RequestRefused

WEB = Path(__file__).parent.parent / "web"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def listed(folder: Path) -> dict[str, Path]:
    """The files of a folder that may be served, by the names that they are asked for by: without ``.gz``."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    named = {path.name.removesuffix(".gz"): path for path in files}
    return {name: path for name, path in named.items() if Path(name).suffix in TYPES}


def serve(files: Mapping[str, Path], name: str, headers: Mapping[str, str]) -> Response:
    """One of these files. Raises RequestRefused: 404."""
    path = files.get(name)
    if path is None:
        raise RequestRefused(404, "not-found", "there is no such file")
    return Response(
        body=_text(path),
        status_code=200,
        headers={"Content-Type": TYPES[Path(name).suffix], **SAFE, **headers},
    )


@cache
def _text(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
