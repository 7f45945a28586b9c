"""Demo records of the ``products`` dataset: clean ones by the thousand, and every kind of odd one."""

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import ClassVar

from infra.local.demo_kinds import Kind, broken_records, changed, copied, join, quoted_records, replaced

NAME, SKU, DESCRIPTION, STATUS = range(4)

_MATERIALS = "Steel Oak Wool Glass Linen Copper Cork Clay Café Ölpapier 木 Maple Brass Felt Stone Leather"
_THINGS = "Lamp Chair Mug Kettle Rug Vase Clock Desk Bowl Jug Shelf Stool Tray Pan Piñata Mirror"

# 16 of each, so that half a random byte picks one.
_MATERIAL = tuple(_MATERIALS.split())
_THING = tuple(_THINGS.split())

# Skus are a permutation of a number (factor and modulus have no common divisor): unique without a memory. The number
# is the record's index from where its seed starts, so that files of different seeds share no sku while they are short.
_FACTOR, _SKUS, _FIRST_SKU = 1_103_515_245, 1 << 31, 1 << 31
_ROWS_APART = 1 << 21

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "unknown_status": Kind(replaced(STATUS, b"sold"), "constraint-error", "status"),
        "status_in_capitals": Kind(changed(STATUS, bytes.upper), "constraint-error", "status"),
        "missing_status": Kind(replaced(STATUS, b""), "constraint-error", "status"),
        "missing_sku": Kind(replaced(SKU, b""), "constraint-error", "sku"),
        "overlong_sku": Kind(changed(SKU, lambda cell: cell + b"-" * 64), "constraint-error", "sku"),
        "overlong_description": Kind(replaced(DESCRIPTION, b"x" * 5001), "constraint-error", "description"),
        **broken_records(NAME),
        # Records that only look wrong: the next two change the row of an earlier record, or leave it as it is.
        "changed_product": Kind(copied(SKU), copies=True),
        "same_product": Kind(lambda _, earlier: join(earlier), copies=True),
        "no_description": Kind(replaced(DESCRIPTION, b"")),
        "leading_space": Kind(changed(NAME, lambda cell: b" " + cell)),
        **quoted_records(DESCRIPTION),
    }
)


class Products:
    """Makes products that a ``--dirty 0`` file may hold: no two with the same sku, at any length of file.

    Files of up to two million rows share no sku with one another, if their seeds differ (modulo 1024).
    """

    header: ClassVar[bytes] = b"name,sku,description,status\n"
    kinds: ClassVar[Mapping[str, Kind]] = KINDS
    most_rows: ClassVar[int] = _SKUS

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"products {seed}")
        self._first = seed % (_SKUS // _ROWS_APART) * _ROWS_APART

    def rows(self, start: int, count: int) -> list[str]:
        """The records of index ``start`` and the ``count - 1`` after it, each a line without quotes."""
        sku = (self._first + start) * _FACTOR
        return [
            f"{_MATERIAL[byte & 15]} {_THING[byte >> 4]},{_FIRST_SKU + number % _SKUS:08X},"
            f"{_THING[byte >> 4]} made of {_MATERIAL[byte & 15]} no. {number % 97},{'in' * (byte < 32)}active\n"
            for byte, number in zip(self._rng.randbytes(count), range(sku, sku + count * _FACTOR, _FACTOR), strict=True)
        ]
