"""A typical dataset of 20 columns, and records for it."""

from collections.abc import Iterator
from random import Random
from typing import Any

from chalicelib.core.dataset import parse_dataset

_STATES = ("active", "pending", "suspended", "closed")
_COUNTRIES = ("DE", "FR", "US", "GB", "JP", "BR", "NG", "IN")
_NAMES = ("Thomas", "Maria", "Ana", "José", "Wei", "Olga", "John", "Fatima", "Kofi", "Zoë", "Priya", "Lars", "Mei")
_WORDS = ("called", "back", "about", "the", "late", "delivery", "and", "asked", "for", "a", "refund", "next", "week")


def _field(name: str, kind: str, form: str = "default", **constraints: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "format": form, "constraints": constraints}


TYPICAL = parse_dataset(
    {
        "name": "customers",
        "schema": {
            "fields": [
                _field("customer_id", "integer", required=True, unique=True),
                _field("external_id", "string", "uuid", required=True),
                _field("first_name", "string", required=True, maxLength=100),
                _field("last_name", "string", required=True, maxLength=100),
                _field("email", "string", "email", required=True),
                _field("phone", "string", pattern="\\+[0-9]{8,15}"),
                _field("birth_date", "date", minimum="1900-01-01"),
                _field("created_at", "datetime", required=True),
                _field("updated_at", "datetime"),
                _field("country", "string", required=True, enum=list(_COUNTRIES)),
                _field("postcode", "string", maxLength=12),
                _field("city", "string", maxLength=80),
                _field("state", "string", required=True, enum=list(_STATES)),
                _field("is_active", "boolean", required=True),
                _field("newsletter", "boolean"),
                _field("balance", "number", required=True),
                _field("discount", "number", minimum=0, maximum=100),
                _field("orders", "integer", minimum=0),
                _field("rating", "integer", minimum=1, maximum=5),
                _field("note", "string", maxLength=500),
            ]
        },
    }
)
_SPOILS = (
    (0, "x1"),
    (0, ""),
    (1, "123e4567"),
    (2, ""),
    (4, "nobody"),
    (5, "unknown"),
    (6, "1990-13-01"),
    (7, "yesterday"),
    (9, "XX"),
    (12, "none"),
    (13, "maybe"),
    (15, "12€"),
    (16, "101"),
    (18, "9"),
    (19, "a,b"),
)


def typical_rows(rng: Random, dirty: float) -> Iterator[bytes]:
    """Yield records, line ends included, of which the share ``dirty`` has one or two bad values.

    One in ten has a quoted note, one in five hundred a line end in it.
    """
    number = 0
    while True:
        number += 1
        first, last = rng.choice(_NAMES), rng.choice(_NAMES)
        day = f"{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        note = " ".join(rng.choices(_WORDS, k=rng.randint(0, 8)))
        dice = rng.random()
        if dice < 0.002:
            note = f'"{note}\n{note}"'
        elif dice < 0.1:
            note = f'"{note}, ""{last}"" said"'
        cells = [
            str(number * 7919),
            f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}-a1b2-{number:012x}",
            first,
            last,
            f"{first}.{last}{number}@example.com".encode("ascii", "ignore").decode().lower(),
            f"+49{rng.randint(10**8, 10**10)}" if number % 5 else "",
            f"{rng.randint(1940, 2005)}-{day}",
            f"2023-{day}T{rng.randint(10, 23)}:{rng.randint(10, 59)}:{rng.randint(10, 59)}Z",
            f"2024-{day}T{rng.randint(10, 23)}:{rng.randint(10, 59)}:00.{rng.randint(100, 999)}+02:00"
            if number % 3
            else "",
            rng.choice(_COUNTRIES),
            str(rng.randint(10000, 99999)),
            rng.choice(_NAMES) + "ville",
            rng.choice(_STATES),
            rng.choice(("true", "false")),
            rng.choice(("true", "false", "")),
            f"{rng.randint(-1000, 100000)}.{rng.randint(0, 99):02}",
            str(rng.randint(0, 100)),
            str(rng.randint(0, 500)),
            str(rng.randint(1, 5)),
            note,
        ]
        if rng.random() < dirty:
            for column, value in rng.sample(_SPOILS, rng.choice((1, 1, 2))):
                cells[column] = value
        yield (",".join(cells) + "\n").encode()
