"""Runs by RE2 are runs by ``re``, where it can match them at all."""

import pytest

from chalicelib.core.runs import runs_by_re, runs_by_re2


@pytest.mark.parametrize(
    ("record", "data", "end"),
    [
        (rb"[a-z]{1,3}+,[0-9]++\n", b"ab,1\nabc,22\nabcd,3\n", 12),
        (rb"[+?]{2}+x?+\}\++\n", b"+?x}++\n??}+\n", 12),
        (rb"[^,\]}]*+\]\{1,2\}\n", b"a{]{1,2}\n]{1,2}\n}", 16),
        (rb"(?:ab|c)++(?:d|)\n", b"abcd\ncc\nd\n", 8),
        (rb"[^\0-\x1f\x7f-\xff]{0,4}+\n", b"abc\n\nab\xc3\xa9\n", 5),
        (b"\xc3\xa9[^a]\n", b"\xc3\xa9\xff\n\xc3\xa9a\n", 4),
    ],
)
def test_a_run_ends_where_a_record_does_not_match(record: bytes, data: bytes, end: int) -> None:
    by_re2 = runs_by_re2(record)
    assert by_re2 is not None
    for run in (by_re2, runs_by_re(record)):
        assert run(data, 0, len(data)) == end
        assert run(b"," + data, 1, len(data) + 1) == end + 1
        assert run(data, 0, max(end - 1, 0)) < max(end, 1)


@pytest.mark.parametrize(
    "record",
    [rb"(?!#)[a-z]++\n", rb"[a-z]++(?=\n)\n", rb"a(?<!b)\n", rb"[a-z]{1,4000}+\n", b",".join([rb"[a-z]{1,900}+"] * 6)],
)
def test_what_re2_cannot_say_or_not_cheaply_is_left_to_re(record: bytes) -> None:
    assert runs_by_re2(record) is None
