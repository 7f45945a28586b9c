"""How far a run of records goes that an expression matches: by RE2 where that can, which takes half the time of ``re``.

RE2 (https://github.com/google/re2/wiki/Syntax) reads each byte once, in an automaton that is made while it reads. It
knows no look-arounds, and repeats nothing more than a thousand times. docs/matching.md says why there are two engines.
"""

import re

from re2 import _re2  # RE2 itself: the package's match() makes a generator and an object each time, 2.3 us for 0.6

from chalicelib.core.fastpath import RunEnd
from chalicelib.core.repeat import at_least_one

_MOST_STATES = 5_000  # about; each takes 10 us to make, and a kilobyte while it is compiled
_MEMORY = 32 << 20  # bytes that one automaton may take; a tenth of them is enough for so many states
_LONGEST = 1 << 16  # bytes of an expression
# A closing bracket that is meant is escaped, so the first other one ends a class.
_ATOM = re.compile(rb"(\\.|\[(?:\\.|[^]\\])++\]|[^\\])((?:[?*+]|\{[0-9,]++\})?)\+?", re.DOTALL)
_TIMES = re.compile(rb"\{(?:[0-9]++,(?=[0-9]))?+([0-9]++),?\}")
_LOOK_AROUND = re.compile(rb"\(\?<?[=!>]")


def runs_by_re(record: bytes) -> RunEnd:
    """Return what matches as many of these records as there are, in the time that ``re`` takes."""
    match = re.compile(at_least_one(record.decode()).encode()).match

    def end(data: bytes, start: int, limit: int) -> int:
        found = match(data, start, limit)
        return found.end() if found else start

    return end


def runs_by_re2(record: bytes) -> RunEnd | None:
    """Return what matches as many of these records as there are; ``None`` where RE2 does not know how.

    ``record`` is in the syntax of ``re``. Where it has possessive quantifiers, these must save time only: what it
    would match without them must be as good.
    """
    too_much = len(record) > _LONGEST or sum(map(int, _TIMES.findall(record))) > _MOST_STATES
    if too_much or _LOOK_AROUND.search(record):
        return None
    options = _re2.RE2.Options()
    options.encoding = _re2.RE2.Options.Encoding.LATIN1  # a byte is a character
    options.never_capture = True
    options.max_mem = _MEMORY
    options.log_errors = False
    expression = _re2.RE2(rb"(?:%b)+" % _ATOM.sub(rb"\1\2", record), options)
    if not expression.ok():
        return None
    match, anchor = expression.Match, _re2.RE2.Anchor.ANCHOR_START

    def end(data: bytes, start: int, limit: int) -> int:
        [(_, found)] = match(anchor, data, start, limit)
        return found if found > start else start  # -1 where nothing is found

    return end
