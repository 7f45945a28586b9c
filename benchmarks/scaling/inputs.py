"""What the model is fed with: ``benchmarks/scaling.json``, in which each figure says where it comes from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

INPUTS = Path(__file__).parent.parent / "scaling.json"


@dataclass(frozen=True)
class Policy:
    """What a row costs the database, by ``on_conflict``: microseconds of CPU, bytes that its disk writes.

    ``tail_us`` is what the finaliser takes for each row of the file, alone. ``claims``: batches tell each other keys.
    """

    name: str
    cpu_us: float
    disk_bytes: float
    tail_us: float
    claims: bool
    source: str = ""


@dataclass(frozen=True)
class Size:
    """A database server: what it has, and its list price in dollars an hour."""

    name: str
    vcpu: int
    memory_gb: float
    disk_mb_s: float
    price: float


@dataclass(frozen=True)
class Inputs:
    """Seconds, microseconds (``us``), bytes, MB of 10**6 bytes, and shares; ``scaling.json`` explains each."""

    rows: float
    row_bytes: float
    rejected_share: float
    keys: int
    batch_bytes: float
    most_lines: int
    load_memory_mb: float
    split_memory_mb: float
    full_core_mb: float
    cold_start_s: float
    first_workers: int
    more_workers_a_second: float
    batch_overhead_s: float
    send_s: float
    s3_first_byte_s: float
    s3_mb_s: float
    s3_spread: float
    cut_mb_s: float
    parse_mb_s: float
    key_us: float
    send_us: float
    batch_memory_factor: float
    base_memory_mb: float
    claim_write_us: float
    claim_read_us: float
    claim_compare_us: float
    claim_wire_bytes: float
    claim_mb_s: float
    commit_s: float
    contention: float
    crowding: float
    connections: int
    backend_mb: float
    error_rows_a_second: float
    gb_second_price: float
    request_price: float
    s3_get_price: float
    sqs_price: float

    @property
    def batch_rows(self) -> int:
        """Rows of a full batch, which ends at so many bytes or lines, whatever comes first."""
        return max(1, min(int(self.batch_bytes / self.row_bytes), self.most_lines))

    @property
    def load_share(self) -> float:
        """How much of a core a loader has."""
        return min(1.0, self.load_memory_mb / self.full_core_mb)

    @property
    def split_share(self) -> float:
        """How much of a core a splitter has."""
        return min(1.0, self.split_memory_mb / self.full_core_mb)


@dataclass(frozen=True)
class Figures:
    """Everything in the file; ``measured`` says when and on what, of all figures that are from measuring."""

    measured: str
    inputs: Inputs
    policies: Mapping[str, Policy]
    sizes: tuple[Size, ...]
    sizes_from: str
    check: Mapping[str, Any]
    sources: tuple[tuple[str, float, str], ...]


def read_figures(path: Path = INPUTS) -> Figures:
    """Read and check the file.

    Raises:
        ValueError: a figure is missing, unknown, negative, or does not say where it comes from.
    """
    document = json.loads(path.read_text())
    sources = []
    values: dict[str, Any] = {}
    for name, figure in document["figures"].items():
        if not figure.get("from") or figure["value"] < 0:
            raise ValueError(f"{path.name}: {name} needs a value, 0 or more, and where it is from")
        values[name] = figure["value"]
        sources.append((name, figure["value"], figure["from"]))
    known = {field.name for field in fields(Inputs)}
    if values.keys() != known:
        raise ValueError(f"{path.name}: missing or unknown: {', '.join(sorted(values.keys() ^ known))}")
    policies = {}
    for name, policy in document["policies"].items():
        policies[name] = Policy(name=name, source=policy.pop("from"), **policy)
    sizes = tuple(Size(**size) for size in document["sizes"])
    return Figures(
        measured=document["measured"],
        inputs=Inputs(**values),
        policies=policies,
        sizes=sizes,
        sizes_from=document["sizes_from"],
        check=document["check"],
        sources=tuple(sources),
    )
