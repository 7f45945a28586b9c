"""A small S3 on a folder: just what our adapter asks for, with ranges sent by the kernel, never copied in Python.

    python -m benchmarks.objects FOLDER     prints its port; serves until it is ended

Emulators read a whole object for each range of it, which would be measured instead of us. ``<folder>/<bucket>/<key>``
is an object; beside it, ``<key>.repeat`` (JSON: ``head`` and ``times``) makes one of any size out of a small file: its
first ``head`` bytes once, then the rest of it ``times`` times. Signatures are not checked: it listens on loopback.
"""

import json
import os
import shutil
import socket
import sys
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PIECE = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One connection; boto3 keeps it open from request to request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder: Path

    def do_GET(self) -> None:
        self._object(body=True)

    def do_HEAD(self) -> None:
        if not self._key():
            self._answer(200 if self._path().is_dir() else 404)
        else:
            self._object(body=False)

    def do_PUT(self) -> None:
        upload = self._query("uploadId")
        path = self._part(upload, int(self._query("partNumber"))) if upload else self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        left = int(self.headers["Content-Length"])
        with path.open("wb") as out:
            while left:
                piece = self.rfile.read(min(_PIECE, left))
                left -= len(piece)
                out.write(piece)
        self._answer(200, headers={"ETag": etag_of(path)})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upload = self._query("uploadId")
        if not upload:
            new = f"<InitiateMultipartUploadResult {_NAMESPACE}><UploadId>{uuid.uuid4().hex}</UploadId>"
            self._answer(200, f"{new}</InitiateMultipartUploadResult>".encode())
            return
        parts = sorted(self._part(upload, 0).parent.iterdir(), key=lambda part: int(part.name))
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, out, _PIECE)
        shutil.rmtree(parts[0].parent)
        done = f"<CompleteMultipartUploadResult {_NAMESPACE}><ETag>{etag_of(path)}</ETag>"
        self._answer(200, f"{done}</CompleteMultipartUploadResult>".encode())

    def do_DELETE(self) -> None:
        upload = self._query("uploadId")
        if upload:
            shutil.rmtree(self._part(upload, 0).parent, ignore_errors=True)
        else:
            self._path().unlink(missing_ok=True)
        self._answer(204)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged: they are many."""

    def _object(self, *, body: bool) -> None:
        path = self._path()
        if not path.is_file():
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if body else b"")
            return
        etag, size = etag_of(path), size_of(path)
        if self.headers.get("If-Match", etag) != etag:
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>" if body else b"")
            return
        start, end = 0, size
        wanted = self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last) + 1 if last else size, size)
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if body:
            self.wfile.flush()
            with path.open("rb") as file:
                for offset, count in stretches(path, start, end):
                    send(self.connection, file.fileno(), offset, count)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _path(self) -> Path:
        path = self.folder / unquote(urlsplit(self.path).path).lstrip("/")
        if ".." in path.parts:
            raise ValueError("a key that leaves the folder")
        return path

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _part(self, upload: str, number: int) -> Path:
        return self.folder / ".uploads" / upload / str(number)


class Server(ThreadingHTTPServer):
    """A thread a connection; a client that leaves in the middle of an answer is no trouble."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def etag_of(path: Path) -> str:
    """Quoted, as in HTTP. Of the time and the size: reading the bytes would cost what they are measured for."""
    known = path.stat()
    return f'"{known.st_mtime_ns:x}-{known.st_size:x}"'


def size_of(path: Path) -> int:
    """The size of the object that a file stands for, in bytes."""
    repeat = _repeat(path)
    size = path.stat().st_size
    return size if repeat is None else repeat[0] + (size - repeat[0]) * repeat[1]


def repeat(path: Path, head: int, times: int) -> None:
    """Let a file stand for an object of its first ``head`` bytes and ``times`` the rest."""
    path.with_name(path.name + ".repeat").write_text(json.dumps({"head": head, "times": times}))


def stretches(path: Path, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the bytes from ``start`` to ``end`` of an object are in its file: (offset, count) of each stretch."""
    repeat = _repeat(path)
    if repeat is None:
        yield start, end - start
        return
    head, block = repeat[0], path.stat().st_size - repeat[0]
    while start < end:
        offset = start if start < head else head + (start - head) % block
        count = min(end - start, (head if start < head else head + block) - offset)
        yield offset, count
        start += count


def send(connection: socket.socket, file: int, offset: int, count: int) -> None:
    while count:
        sent = os.sendfile(connection.fileno(), file, offset, count)
        if not sent:
            raise ConnectionError("the file ends early")
        offset += sent
        count -= sent


def _repeat(path: Path) -> tuple[int, int] | None:
    try:
        said = json.loads(path.with_name(path.name + ".repeat").read_text())
    except FileNotFoundError:
        return None
    return said["head"], said["times"]


def main() -> None:
    Handler.folder = Path(sys.argv[1])
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
