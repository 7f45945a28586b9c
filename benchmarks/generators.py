"""Files that demo-file does not make: twenty columns of typical types, many columns, long records."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from chalicelib.core.dataset import Dataset, parse_dataset

_WORDS = ("blue", "train", "river", "heart", "café", "road", "señorita", "rain", "moon", "fire", "waltz", "ocean")
_START = datetime(2020, 1, 1)

Column = tuple[str, dict[str, object], Callable[[Random, int], str], str]
"""A name, what its field says besides, how a good value is made, and a bad value."""


def _columns() -> Iterator[Column]:
    yield "order_id", _type("integer", required=True), lambda r, n: str(10**9 + n), "12x"
    yield "customer_id", _type("integer", minimum=1), lambda r, n: str(r.randrange(1, 10**6)), "0"
    yield "reference", _type("string", "uuid"), lambda r, n: str(uuid.UUID(int=r.getrandbits(128))), "no-uuid"
    yield "email", _type("string", "email"), lambda r, n: f"{r.choice(_WORDS[:4])}{n}@example.com", "nobody"
    yield "first_name", _type("string", required=True, maxLength=100), lambda r, n: r.choice(_WORDS), ""
    yield "last_name", _type("string", required=True, maxLength=100), lambda r, n: r.choice(_WORDS), ""
    yield "phone", _type("string", pattern="[0-9]{10}"), lambda r, n: str(r.randrange(10**9, 10**10)), "555-x"
    yield "country", _type("string", pattern="[A-Z]{2}"), lambda r, n: r.choice(("DE", "ES", "US", "JP")), "Spain"
    yield "postcode", _type("string", maxLength=10), lambda r, n: str(r.randrange(10**4, 10**5)), "1" * 11
    yield "status", _type("string", enum=["new", "paid", "sent"]), lambda r, n: r.choice(("new", "paid")), "lost"
    yield (
        "ordered_on",
        _type("date"),
        lambda r, n: str((_START + timedelta(days=r.randrange(2000))).date()),
        "2026-02-30",
    )
    yield "shipped_at", _type("datetime"), lambda r, n: f"{(_START + timedelta(seconds=n)).isoformat()}Z", "yesterday"
    yield "window_start", _type("time"), lambda r, n: f"{r.randrange(24):02}:{r.randrange(60):02}:00", "25:00:00"
    yield "season", _type("year"), lambda r, n: str(r.randrange(2000, 2027)), "next"
    yield "quantity", _type("integer", minimum=1, maximum=1000), lambda r, n: str(r.randrange(1, 1000)), "1001"
    yield "price", _type("number"), lambda r, n: f"{r.randrange(10**5) / 100:.2f}", "12,50"
    yield "discount", _type("number", minimum=0, maximum=1), lambda r, n: f"0.{r.randrange(100):02}", "1.5"
    yield "gift", _type("boolean"), lambda r, n: r.choice(("true", "false")), "maybe"
    yield "warehouse", _type("integer"), lambda r, n: str(r.randrange(100)), "7.0"
    yield "note", _type("string", maxLength=500), lambda r, n: " ".join(r.choices(_WORDS, k=4)), "x" * 501


def _type(name: str, format: str = "default", **constraints: object) -> dict[str, object]:
    return {"type": name, "format": format, "constraints": constraints}


_TYPICAL = tuple(_columns())


def typical(policy: str = "append") -> Dataset:
    """Twenty columns of the types that most files have; without keys."""
    fields = [{"name": name, **says} for name, says, _, _ in _TYPICAL]
    return parse_dataset({"name": "orders", "schema": {"fields": fields}, "dropload": {"on_conflict": policy}})


def typical_lines(rows: int, dirty: float, seed: int = 7) -> Iterator[str]:
    """Its header and records; a dirty one has one bad value, of each column in turn."""
    rng = Random(seed)
    yield ",".join(name for name, *_ in _TYPICAL) + "\n"
    bad = 0
    for number in range(rows):
        cells = [make(rng, number) for _, _, make, _ in _TYPICAL]
        if int((number + 1) * dirty) > int(number * dirty):
            at = bad % len(_TYPICAL)
            value = _TYPICAL[at][3]
            cells[at] = f'"{value}"' if "," in value else value
            bad += 1
        yield ",".join(cells) + "\n"


def broad(columns: int) -> Dataset:
    """That many columns of whole numbers."""
    fields = [{"name": f"c{number}", "type": "integer"} for number in range(columns)]
    return parse_dataset({"name": "broad", "schema": {"fields": fields}, "dropload": {"on_conflict": "append"}})


def broad_file(path: Path, columns: int, rows: int) -> Path:
    with path.open("w") as out:
        out.write(",".join(f"c{number}" for number in range(columns)) + "\n")
        row = ",".join(str(number) for number in range(columns)) + "\n"
        for _ in range(rows):
            out.write(row)
    return path


def texts() -> Dataset:
    """A number, and a text of any length."""
    fields = [{"name": "number", "type": "integer"}, {"name": "text", "type": "string"}]
    return parse_dataset({"name": "texts", "schema": {"fields": fields}, "dropload": {"on_conflict": "append"}})


def texts_file(path: Path, rows: int, size: int) -> Path:
    """Records of about ``size`` bytes, each another text."""
    with path.open("w") as out:
        out.write("number,text\n")
        for number in range(rows):
            word = f"{number} lorem ipsum "
            out.write(f"{number},{word * (size // len(word))}\n")
    return path


def changed_members(source: Path, target: Path) -> Path:
    """The same members with other first names."""
    with source.open("rb") as lines, target.open("wb") as out:
        out.write(next(lines))
        out.writelines(b"New" + line for line in lines)
    return target
