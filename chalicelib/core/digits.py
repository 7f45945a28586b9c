"""Regular expressions for the whole numbers of a range, in ASCII digits."""

_DIGITS = {0: b"", 1: b"[0-9]"}  # fewer than a repetition is worth its while


def between(low: int, high: int, width: int = 0) -> list[bytes]:
    """Return alternatives for exactly the numbers ``low`` to ``high`` (0 <= low): none where there are none.

    With a ``width`` each is padded with zeros to that many digits. Without, there are no leading zeros, except that
    ``low`` 0 lets numbers of fewer digits than ``high`` have them.
    What follows the digits is not looked at: an alternative may match the start of a number that another one matches.
    """
    if low > high:
        return []
    if width:
        return _same_width(str(low).zfill(width), str(high).zfill(width))
    shortest, longest = len(str(low)), len(str(high))
    if shortest == longest:
        return _same_width(str(low), str(high))
    if low == 0:
        # The common case, and the fastest: fewer digits than the highest number has are always within the range.
        if set(str(high)) == {"9"}:
            return [rb"[0-9]{1,%d}+" % longest]
        parts = [rb"[0-9]{1,%d}+" % (longest - 1)]
    else:
        parts = _same_width(str(low), "9" * shortest)
        if longest - shortest > 1:
            parts.append(rb"[1-9][0-9]{%d,%d}+" % (shortest, longest - 2))
    return parts + _same_width("1" + "0" * (longest - 1), str(high))


def _same_width(low: str, high: str) -> list[bytes]:
    """Return alternatives for the numbers ``low`` to ``high``, which have equally many digits."""
    if not low:
        return [b""]
    rest = len(low) - 1
    zeros, nines = "0" * rest, "9" * rest
    if low[0] == high[0] and (low[1:], high[1:]) != (zeros, nines):
        return [low[0].encode() + tail for tail in _same_width(low[1:], high[1:])]
    first, last = int(low[0]) + (low[1:] != zeros), int(high[0]) - (high[1:] != nines)
    # The widest range first: most numbers are in it, and the first alternative is the cheapest.
    parts = [_digit(str(first), str(last)) + _DIGITS.get(rest, b"[0-9]{%d}+" % rest)] if first <= last else []
    if low[1:] != zeros:
        parts += [low[0].encode() + tail for tail in _same_width(low[1:], nines)]
    if high[1:] != nines:
        parts += [high[0].encode() + tail for tail in _same_width(zeros, high[1:])]
    return parts


def _digit(low: str, high: str) -> bytes:
    return low.encode() if low == high else f"[{low}-{high}]".encode()
