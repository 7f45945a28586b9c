"""Encodings: which there are, and that what they do not know is told from what they do."""

import pytest

from chalicelib.core.encodings import canonical_encoding, mark_of
from chalicelib.core.transcode import Transcoder

SINGLE = ["cp1252", "iso8859-1", "iso8859-6", "iso8859-15", "cp1255", "koi8-r", "mac-roman", "cp437", "ascii"]


def transcoded(data: bytes, encoding: str, chunk: int = 1 << 20) -> bytes:
    transcoder = Transcoder(encoding)
    parts = [transcoder.feed(data[at : at + chunk]) for at in range(0, len(data), chunk)]
    return b"".join([*parts, transcoder.finish()])


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("UTF-8", "utf-8"),
        ("utf_8_sig", "utf-8"),
        ("windows-1252", "cp1252"),
        ("latin1", "iso8859-1"),
        ("ISO-8859-15", "iso8859-15"),
        ("UTF-16LE", "utf-16-le"),
        ("utf-16", "utf-16"),
        *[(name, None) for name in ("utf-7", "utf-32", "idna", "base64", "rot13", "punycode", "shift_jis", "gbk")],
        *[(name, None) for name in ("unicode_escape", "raw_unicode_escape", "iso2022_jp", "hz", "cp500", "", "\0")],
    ],
)
def test_an_encoding_is_known_by_any_of_its_names_or_refused(name: str, canonical: str | None) -> None:
    assert canonical_encoding(name) == canonical


@pytest.mark.parametrize("encoding", SINGLE)
def test_all_that_an_encoding_knows_comes_out_and_nothing_that_it_does_not_looks_like_text(encoding: str) -> None:
    known, unknown = bytearray(), bytearray()
    for byte in range(256):
        try:
            char = bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            unknown.append(byte)
            continue
        known.append(byte)
        assert transcoded(bytes([byte]), encoding) == char.encode()
    for byte in unknown:
        for other in (*unknown, 0x41, 0x7F, *known[-3:]):
            for pair in (bytes([byte, other]), bytes([other, byte])):
                with pytest.raises(UnicodeDecodeError):
                    transcoded(pair, encoding).decode()
    assert transcoded(bytes(known), encoding).decode() == bytes(known).decode(encoding)


def test_an_unknown_byte_of_cp1252_comes_back_as_it_was() -> None:
    assert transcoded(b"a\x81\x8d\xe9\n", "cp1252") == b"a\x81\x8d\xc3\xa9\n"


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (b"a\0\xe9\0\x3d\xd8\x00\xde\n\0", "aé😀\n".encode()),
        (b"\x3d\xd8a\0", b"\xed\xa0\xbda"),
        (b"\x00\xdea\0", b"\xed\xb8\x80a"),
        (b"a\0\x3d\xd8", b"a\xed\xa0\xbd"),
        (b"a\0\n", b"a\xed\xb0\x8a"),
        (b"\x85\0\x28\x20", "\u0085\u2028".encode()),
    ],
    ids=["good", "lone high", "lone low", "high at the end", "odd byte", "other line ends"],
)
def test_halves_of_utf_16_are_bytes_that_no_text_has(units: bytes, expected: bytes, chunk: int) -> None:
    assert transcoded(units, "utf-16-le", chunk) == expected
    swapped = bytes(byte for at in range(0, len(units), 2) for byte in units[at : at + 2][::-1])
    assert transcoded(swapped, "utf-16-be", chunk) == expected


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("\ufeffab".encode(), ("utf-8", 3)),
        ("\ufeffab".encode("utf-16-le"), ("utf-16-le", 2)),
        ("\ufeffab".encode("utf-16-be"), ("utf-16-be", 2)),
        ("\ufeffab".encode("utf-32-le"), (None, 0)),
        ("\ufeffab".encode("utf-32-be"), (None, 0)),
        (b"ab", (None, 0)),
        (b"", (None, 0)),
        (b"\xff\xfe", ("utf-16-le", 2)),
    ],
)
def test_a_mark_tells_the_encoding(head: bytes, mark: tuple[str | None, int]) -> None:
    assert mark_of(head) == mark
