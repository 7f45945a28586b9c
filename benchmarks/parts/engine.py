"""Parse and validate, and cutting, alone: MB (10**6 bytes) per second of one core's time, nothing else running."""

import importlib.util
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import generators, tables
from benchmarks.compare import spread
from benchmarks.files import BAD_MEMBERS, MEMBERS, SEED
from benchmarks.parts import Bench
from benchmarks.stage import MIB
from chalicelib.core.cut import Cut, Cutter
from chalicelib.core.dataset import Dataset
from chalicelib.core.reader import compile_reader
from infra.local.demo import write_demo

_BATCH = 16 * MIB
_CHUNK = 8 * MIB
_LEAST_CUT = 128 * MIB
_PROTOTYPE = Path(__file__).parents[3] / "shared" / "prototype" / "engines.py"
"""The prototype that the bounds in MB/s come from, where it is at hand. At 1 % dirty it made 184 to 203 MB/s on the
machine where they were set, so what it makes here, in the same run, tells this machine from that one."""


def engine(bench: Bench) -> dict[str, Any]:
    """Variants in turn, so that what else the machine does hits all alike."""
    rows = min(bench.options.rows, 400_000)
    members = tables.members()
    plain, quoted, dirty = (
        _members(rows, kinds, share) for kinds, share in ((None, 0.0), (("all_quoted",), 1.0), (MEMBERS, 0.01))
    )
    orders = "".join(generators.typical_lines(rows // 5, 0.01)).encode()
    parsed: dict[str, tuple[Dataset, bytes, int]] = {
        "members, clean": (members, plain, rows),
        "members, 1 % dirty": (members, dirty, rows),
        "20 columns, 1 % dirty": (generators.typical(), orders, rows // 5),
        "members, every field quoted": (members, quoted, rows),
        "members, every record bad (one number)": (members, _members(rows // 4, ("bad_int",), 1.0), rows // 4),
        "members, every record bad (8 kinds)": (members, _members(rows // 4, BAD_MEMBERS, 1.0), rows // 4),
        "members, every record odd (12 kinds)": (members, _members(rows // 4, MEMBERS, 1.0), rows // 4),
        "members, every record with a field too many": (
            members,
            _members(rows // 4, ("too_many_fields",), 1.0),
            rows // 4,
        ),
    }
    cuts = {"members, clean": plain, "members, 1 % dirty": dirty, "members, every field quoted": quoted}
    works: dict[str, tuple[Callable[[], None], int]] = {
        **{f"parse and validate: {name}": (_reads(*what), len(what[1])) for name, what in parsed.items()},
        **{f"cut: {name}": _cuts(members, data) for name, data in cuts.items()},
        **{f"the prototype: {name}": work for name, work in _prototype(members, dirty).items()},
    }
    rates: dict[str, list[float]] = {name: [] for name in works}
    for number in range(1 + max(9, bench.options.rounds)):
        for name, (work, size) in works.items():
            began = time.process_time()
            work()
            if number:  # the first time, expressions are compiled
                rates[name].append(size / 1e6 / (time.process_time() - began))
    return {"unit": "MB/s of one core", "rates": {name: spread(found) for name, found in rates.items()}}


def _reads(dataset: Dataset, data: bytes, rows: int) -> Callable[[], None]:
    """Reading data in batches as loaders do; the work checks that no record is lost."""
    columns = tuple(data[: data.index(b"\n")].decode().split(","))
    reader = compile_reader(dataset, columns, MIB)
    batches = _batches(dataset, data)

    def work() -> None:
        found = sum(reader.read(part, offset=cut.start, first_line=cut.first_line).records for part, cut in batches)
        assert found == rows, f"{found} records instead of {rows}"

    return work


def _prototype(dataset: Dataset, data: bytes) -> dict[str, tuple[Callable[[], None], int]]:
    """The prototype's engine on the same batches."""
    spec = importlib.util.spec_from_file_location("prototype", _PROTOTYPE) if _PROTOTYPE.exists() else None
    if spec is None or spec.loader is None:
        return {}
    prototype = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(prototype)
    batches = _batches(dataset, data)

    def work() -> None:
        for part, cut in batches:
            prototype.e_final(part, cut.first_line)

    return {"members, 1 % dirty": (work, len(data))}


def _batches(dataset: Dataset, data: bytes) -> list[tuple[bytes, Cut]]:
    start = data.index(b"\n") + 1
    cutter = Cutter(dataset.dialect, start=start, line=2, batch_bytes=_BATCH, max_record_bytes=MIB)
    return [(data[cut.start : cut.end], cut) for cut in [*cutter.feed(data[start:]), *cutter.finish()]]


def _cuts(dataset: Dataset, data: bytes) -> tuple[Callable[[], None], int]:
    """Cutting data that come in chunks as from S3, and how many bytes of them are cut.

    What is left at the end fits into one batch and is not looked at, so it is left out, and the data come many times.
    """
    start = data.index(b"\n") + 1
    body = data[start:] * (_LEAST_CUT // (len(data) - start) + 1)
    chunks = [body[at : at + _CHUNK] for at in range(0, len(body), _CHUNK)]

    def cut() -> int:
        cutter = Cutter(dataset.dialect, start=0, line=1, batch_bytes=_BATCH, max_record_bytes=MIB)
        for chunk in chunks:
            cutter.feed(chunk)
        return cutter.offset

    size = cut()

    def work() -> None:
        assert cut() == size > _LEAST_CUT - 2 * _BATCH

    return work, size


def _members(rows: int, kinds: tuple[str, ...] | None, dirty: float) -> bytes:
    out = io.BytesIO()
    write_demo(out, dataset="members", rows=rows, size=None, dirty=dirty, seed=SEED, kinds=kinds)
    return out.getvalue()
