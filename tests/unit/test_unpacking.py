"""gzip and zip's deflate: all of it, or a clear refusal."""

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from chalicelib.core.unpacking import MAX_RATIO, RATIO_FROM, Meter, gunzip, inflate
from chalicelib.errors import FileRefused

DATA = b"".join(b"%d,Ana,Silva\n" % number for number in range(30_000))
PACKED = gzip.compress(DATA)
PLENTY = 1 << 40


def unpacked(packed: bytes, chunk: int = 1_000, most: int = PLENTY) -> bytes:
    return b"".join(gunzip(chunks(packed, chunk), Meter(most)))


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return iter([data[at : at + size] for at in range(0, len(data), size)])


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(FileRefused) as caught:
        act()
    return caught.value.code


@pytest.mark.parametrize("chunk", [1, 7, 1_000, 1 << 20])
def test_all_members_are_read_and_zeros_are_padding(chunk: int) -> None:
    packed = gzip.compress(b"ab") + b"\0" * 9 + gzip.compress(b"") + gzip.compress(b"cd") + b"\0" * 600
    assert unpacked(packed, chunk) == b"abcd"


@pytest.mark.parametrize("end", [1, 5, 12, len(PACKED) // 2, len(PACKED) - 9, len(PACKED) - 1])
def test_truncation_is_never_the_end(end: int) -> None:
    assert code_of(lambda: unpacked(PACKED[:end])) == "archive-truncated"


def test_truncated_second_member_is_truncation() -> None:
    assert code_of(lambda: unpacked(PACKED + PACKED[:30])) == "archive-truncated"


@pytest.mark.parametrize(
    "packed",
    [
        PACKED + b"x",
        PACKED + b"\0\0x",
        PACKED + b"\x1fx",
        PACKED[:-8] + bytes(4) + PACKED[-4:],
        PACKED[:-4] + bytes(4),
        PACKED[:200] + b"\xff" * 50 + PACKED[250:],
        b"\x1f\x8b" + b"\1" * 50,
    ],
    ids=["garbage", "garbage after zeros", "half a magic", "CRC", "length", "inside", "header"],
)
def test_damage_is_told(packed: bytes) -> None:
    assert code_of(lambda: unpacked(packed)) == "archive-damaged"


def test_bomb_is_stopped_long_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(RATIO_FROM * 4), 9)
    seen: list[int] = []
    with pytest.raises(FileRefused) as caught:
        seen.extend(map(len, gunzip(iter([bomb]), Meter(PLENTY))))
    assert caught.value.code == "archive-bomb"
    assert str(MAX_RATIO) in caught.value.message
    assert sum(seen) <= RATIO_FROM


def test_what_packs_well_and_is_small_is_no_bomb() -> None:
    assert unpacked(gzip.compress(bytes(RATIO_FROM // 4), 9)) == bytes(RATIO_FROM // 4)


def test_more_than_the_limit_is_refused_and_the_limit_itself_is_not() -> None:
    assert unpacked(PACKED, most=len(DATA)) == DATA
    assert code_of(lambda: unpacked(PACKED, most=len(DATA) - 1)) == "byte-count"


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def inflated(packed: bytes, data: bytes = DATA, *, stored: bool = False, crc: int | None = None) -> bytes:
    crc = zlib.crc32(data) if crc is None else crc
    return b"".join(inflate(chunks(packed, 999), Meter(PLENTY), stored=stored, crc=crc, size=len(data)))


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_member_of_a_zip_is_unpacked_to_its_last_byte(size: int) -> None:
    assert inflated(deflated(bytes(size)), bytes(size)) == bytes(size)
    assert inflated(bytes(size), bytes(size), stored=True) == bytes(size)


@pytest.mark.parametrize(
    ("packed", "stored", "crc"),
    [
        (deflated(DATA)[:-1], False, None),
        (deflated(DATA) + b"x", False, None),
        (deflated(DATA), False, 1),
        (DATA, True, 1),
        (DATA[:-1], True, None),
        (b"\xff" * 99, False, None),
    ],
)
def test_member_that_is_not_what_its_archive_says_is_damaged(packed: bytes, stored: bool, crc: int | None) -> None:
    assert code_of(lambda: inflated(packed, stored=stored, crc=crc)) == "archive-damaged"
