"""Where the time of a function goes: a light tracer, for the benchmark's own processes only.

Steps are wrapped from outside; each second is counted for the innermost step that is under way, so that all steps of a
process add up to its handlers' time. Parse and validate are one step, being one regular expression; so are merge and
the upkeep of indexes, which PostgreSQL does in one statement. Encoding is what rows in ``Parsed.slow`` and rejections
cost; all others go to COPY as the bytes that they are.
"""

import re
import time
from collections.abc import Callable, Iterator
from functools import cache, partial, wraps
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import Any

import psycopg2
import psycopg2.extensions

from benchmarks.functions import Spans, peak_mb

STEPS = (
    ("chalicelib.services.intake", "Intake.split", "the rest"),
    ("chalicelib.services.intake", "Intake.load", "the rest"),
    ("chalicelib.adapters.s3", "S3ObjectStore.read", "read"),
    ("chalicelib.adapters.s3", "S3ObjectStore.fetch", "read"),
    ("chalicelib.adapters.s3", "S3ObjectStore.stream", "read"),
    ("chalicelib.adapters.s3", "S3ObjectStore.metadata", "read"),
    ("chalicelib.adapters.s3", "S3ObjectStore.write", "error file and receipt"),
    ("chalicelib.core.cut", "Cutter.feed", "cut"),
    ("chalicelib.core.cut", "Cutter.finish", "cut"),
    ("chalicelib.core.reader", "Reader.read", "parse and validate"),
    ("chalicelib.services.load", "key_facts", "keys"),
    ("chalicelib.adapters.postgres.loading", "Loading.place", "keys"),
    ("chalicelib.adapters.postgres.loading", "Loading.book", "bookkeeping"),
    ("chalicelib.adapters.postgres.text", "LineStream.read", "encode"),
    ("chalicelib.services.finalise", "Finalise.run", "bookkeeping"),
)
SQL = "sql "
COMMIT = "commit"
_PHASES = {
    "straight.taken": "look up keys",
    "copying": "COPY and indexes",
    "staging": "merge and indexes",
    "merge": "merge and indexes",
    "shadow": "build and swap",
}


def phase_of(step: str) -> str:
    """The phase that a step belongs to; a statement's by its file and its name in ``adapters/postgres/sql``."""
    if not step.startswith(SQL):
        return step
    name = step.removeprefix(SQL)
    return next((phase for prefix, phase in _PHASES.items() if name.startswith(prefix)), "bookkeeping")


class _Tracer:
    def __init__(self) -> None:
        self.spans: Spans = {}
        self._stack: list[str] = []
        self._wall = self._cpu = 0.0

    def enter(self, step: str) -> None:
        self._mark(calls_of=step)
        self._stack.append(step)

    def leave(self) -> None:
        self._mark()
        self._stack.pop()

    def _mark(self, calls_of: str = "") -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        if self._stack:
            self._add(self._stack[-1], 0, wall - self._wall, cpu - self._cpu, peak_mb())
        if calls_of:
            self._add(calls_of, 1, 0, 0, 0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def _add(self, step: str, calls: int, wall: float, cpu: float, peak: float) -> None:
        had = self.spans.get(step, (0, 0.0, 0.0, 0.0))
        self.spans[step] = (had[0] + calls, had[1] + wall, had[2] + cpu, max(had[3], peak))


def start() -> Spans:
    """Wrap the steps of this process; what they took is in what comes back, which fills while they run."""
    tracer = _Tracer()
    for module, path, step in STEPS:
        owner: Any = import_module(module)
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part, None)
        if not hasattr(owner, name):
            raise LookupError(f"{module} has no {path} any more: mend benchmarks.tracing.STEPS")
        setattr(owner, name, _wrapped(tracer, getattr(owner, name), lambda *_, step=step, **__: step))
    cursor: Any = import_module("chalicelib.adapters.postgres.database").Cursor
    for name in ("execute", "copy_expert"):
        setattr(cursor, name, _wrapped(tracer, getattr(cursor, name), _statement))
    connect = psycopg2.connect

    class Connection(psycopg2.extensions.connection):
        __exit__ = _wrapped(tracer, psycopg2.extensions.connection.__exit__, lambda *_, **__: COMMIT)

    setattr(psycopg2, "connect", partial(connect, connection_factory=Connection))  # noqa: B010 (its type is overloaded)
    return tracer.spans


def _wrapped(tracer: _Tracer, function: Any, step_of: Callable[..., str]) -> Any:
    @wraps(function)
    def traced(*args: Any, **more: Any) -> Any:
        tracer.enter(step_of(*args, **more))
        try:
            result = function(*args, **more)
        finally:
            tracer.leave()
        return _walked(tracer, result, step_of(*args, **more)) if isinstance(result, Iterator) else result

    return traced


def _walked(tracer: _Tracer, items: Iterator[Any], step: str) -> Iterator[Any]:
    while True:
        tracer.enter(step)
        try:
            item = next(items)
        except StopIteration:
            return
        finally:
            tracer.leave()
        yield item


def _statement(cursor: Any, query: Any, *_: Any, **__: Any) -> str:
    if not isinstance(query, str | bytes):
        query = query.as_string(cursor)
    text = query.decode() if isinstance(query, bytes) else query
    return SQL + _name(text[:2000])


@cache
def _name(text: str) -> str:
    for name, start in _templates():
        if start.match(text):
            return name
    return "without a name"


@cache
def _templates() -> list[tuple[str, re.Pattern[str]]]:
    """(file and name, what its text starts like), the longest first."""
    from chalicelib.adapters.postgres import queries

    folder = Path(queries.__file__).parent / "sql"
    texts = {
        f"{path.stem}.{name}": text
        for path in folder.glob("*.sql")
        for name, text in queries.queries(path.stem).items()
    }
    ordered = sorted(texts.items(), key=lambda item: len(item[1]), reverse=True)
    return [(name, re.compile(_pattern(text[:1500]), re.DOTALL)) for name, text in ordered]


def _pattern(text: str) -> str:
    try:
        pieces = [literal for literal, *_ in Formatter().parse(text)]
    except ValueError:  # cut in the middle of a brace
        pieces = [text.partition("{")[0]]
    escaped = (re.escape(piece).replace("%s", ".*?").replace("%%", "%") for piece in pieces)
    return ".*?".join(escaped) + ".*"
