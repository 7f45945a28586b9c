"""Demo records of the ``members`` dataset: clean ones by the thousand, and every kind of odd one."""

from collections.abc import Mapping
from random import Random
from struct import unpack
from types import MappingProxyType
from typing import ClassVar

from infra.local.demo_kinds import FAR, Cells, Kind, broken_records, changed, join, quoted, replaced

FIRST, LAST, PHONE, MEMBER, ACCOUNT = range(5)

_FIRST_NAMES = (
    "Thomas Maria Ana José Wei Olga John Fatima Kofi Zoë Priya Lars Mei Ivan Sara Noah Emma Liam Olivia Ben Aïcha "
    "Björn Chloé Dmitri Eleni Farid Grace Håkon Inés Jürgen Kateryna Łukasz Mónica Nikolai Oluwaseun Paweł Quentin "
    "Rania Søren Thị Ursula Víctor Wanjiru Ximena Yusuf Zainab Anne-Marie Jean-Luc Mary-Kate 明 さくら 지우 Александр "
    "Ελένη محمد Bob Cy Dee Eve Flo Gus Hal Ida Jo"
)
_LAST_NAMES = (
    "Freiling Garcia Smith Müller Zhang Okafor Ivanova Silva Tanaka Nguyen Brown Dubois Rossi Kim Haddad Novak "
    "Svensson Costa Lopez Johnson O'Heffernan D'Angelo MacDonald Ångström Øvergård Škvorecký Çelik Ğözde Żukowska "
    "Őry Nuñez Peña Smith-Jones García-Márquez Deboo Rickett Oliva Dixon Sterley Abara Bianchi Castillo Diallo "
    "Eriksson Fischer Gonzalez Hoffmann Ito Jansen Kowalski Lindqvist Mbeki Nakamura Osei Petrov Quispe Ramos Schäfer "
    "Takahashi Ueda Virtanen Wójcik Xu Yılmaz"
)

# 256 entries, so that one random byte picks one.
_FIRST_BY_BYTE = tuple(_FIRST_NAMES.split()) * 4
_LAST_BY_BYTE = tuple(_LAST_NAMES.split()) * 4

# Keys are permutations of a number (factor and modulus have no common divisor): unique without a memory. The number is
# the record's index from where its seed starts, so that files of different seeds share no keys while they are short.
_MEMBER_FACTOR, _MEMBERS, _FIRST_MEMBER = 1_103_515_245, 1 << 31, 1 << 31
_PHONE_FACTOR, _PHONES, _FIRST_PHONE = 6_180_339_887, 9_000_000_000, 1_000_000_000
_ROWS_APART = 1 << 21


def _arabic(digits: bytes) -> bytes:
    return digits.decode().translate({ord("0") + digit: 0x660 + digit for digit in range(10)}).encode()


def _duplicate(column: int, prefix: bytes = b"") -> Kind:
    """A record that repeats an earlier record's unique value, perhaps in other digits."""

    def spoil(cells: Cells, earlier: Cells) -> bytes:
        return join([*cells[:column], prefix + earlier[column], *cells[column + 1 :]])

    return Kind(spoil, "unique-error", "phone_number" if column == PHONE else "client_member_id", copies=True)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # Values that are not of the field's type, or break one of its constraints.
        "bad_int": Kind(changed(ACCOUNT, lambda cell: b"abc" + cell), "type-error", "account_id"),
        "underscore_int": Kind(changed(ACCOUNT, lambda cell: b"1_" + cell), "type-error", "account_id"),
        "padded_int": Kind(changed(ACCOUNT, lambda cell: b" " + cell + b" "), "type-error", "account_id"),
        "arabic_digits": Kind(changed(ACCOUNT, _arabic), "type-error", "account_id"),
        "float_int": Kind(changed(ACCOUNT, lambda cell: cell + b".0"), "type-error", "account_id"),
        "int_overflow": Kind(replaced(MEMBER, b"9" * 20), "type-error", "client_member_id"),
        "above_maximum": Kind(replaced(ACCOUNT, b"2147483648"), "constraint-error", "account_id"),
        "bad_phone": Kind(changed(PHONE, lambda cell: cell[:5] + b"-x" + cell[5:]), "constraint-error", "phone_number"),
        "missing_value": Kind(replaced(LAST, b""), "constraint-error", "last_name"),
        "quoted_empty": Kind(replaced(LAST, b'""'), "constraint-error", "last_name", quotes=True),
        "overlong_value": Kind(replaced(FIRST, b"Lo" + b"n" * 198 + b"g"), "constraint-error", "first_name"),
        "huge_field": Kind(replaced(LAST, b"x" * 200_000), "constraint-error", "last_name", spacing=FAR),
        # Values that another record has already.
        "duplicate_phone": _duplicate(PHONE),
        "duplicate_member_id": _duplicate(MEMBER),
        "duplicate_zero_padded": _duplicate(MEMBER, b"00"),
        # Records that are broken as a whole.
        **broken_records(FIRST),
        # Records that only look wrong, and must load with exactly these values.
        "quoted_newline": Kind(changed(FIRST, lambda cell: quoted(cell + b"\nJr, the younger")), quotes=True),
        "quoted_crlf": Kind(changed(FIRST, lambda cell: quoted(cell + b"\r\nJr")), quotes=True),
        "doubled_quotes": Kind(changed(FIRST, lambda cell: quoted(cell + b' ""The, Rock""')), quotes=True),
        "all_quoted": Kind(lambda cells, _: join([quoted(cell) for cell in cells]), quotes=True),
        "stray_quote": Kind(replaced(LAST, b'5" pipe'), quotes=True),
        "end_of_data_mark": Kind(replaced(FIRST, b"\\.")),
        "backslash": Kind(changed(LAST, lambda cell: cell + b"\\N\\t")),
        "leading_plus": Kind(changed(MEMBER, lambda cell: b"+" + cell)),
        "leading_zeros": Kind(changed(MEMBER, lambda cell: b"000" + cell)),
        "crlf": Kind(lambda cells, _: join(cells, b"\r\n")),
        "blank_line": Kind(lambda cells, _: b"\n" + join(cells)),
    }
)


class Members:
    """Makes members that a ``--dirty 0`` file may hold: no two with the same key, at any length of file.

    Files of up to two million rows share no key with one another, if their seeds differ (modulo 1024).
    """

    header: ClassVar[bytes] = b"first_name,last_name,phone_number,client_member_id,account_id\n"
    kinds: ClassVar[Mapping[str, Kind]] = KINDS
    most_rows: ClassVar[int] = _MEMBERS

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"members {seed}")
        self._first = seed % (_MEMBERS // _ROWS_APART) * _ROWS_APART

    def rows(self, start: int, count: int) -> list[str]:
        """The records of index ``start`` and the ``count - 1`` after it, each a line without quotes."""
        member = (self._first + start) * _MEMBER_FACTOR
        phone = (self._first + start) * _PHONE_FACTOR
        return [
            f"{first},{last},{_FIRST_PHONE + p % _PHONES},{_FIRST_MEMBER + m % _MEMBERS},{1 + account % 10_000}\n"
            for first, last, p, m, account in zip(
                map(_FIRST_BY_BYTE.__getitem__, self._rng.randbytes(count)),
                map(_LAST_BY_BYTE.__getitem__, self._rng.randbytes(count)),
                range(phone, phone + count * _PHONE_FACTOR, _PHONE_FACTOR),
                range(member, member + count * _MEMBER_FACTOR, _MEMBER_FACTOR),
                unpack(f"<{count}H", self._rng.randbytes(2 * count)),
                strict=True,
            )
        ]
