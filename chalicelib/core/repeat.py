"""Possessive repetition of a group, written as this Python gets it right.

``(?:X)*+`` never gives back what it took, in constant memory. CPython before 3.11.5 gets it wrong where ``X`` can
backtrack (https://github.com/python/cpython/issues/106052) and matches what it must not; the atomic ``(?>(?:X)*)``
means the same there, at half the speed and with memory for each repetition.
"""

import sys

_SOUND = sys.version_info >= (3, 11, 5)


def any_number(group: str) -> str:
    """``(?:group)*+``: as many as there are, perhaps none."""
    return f"(?:{group})*+" if _SOUND else f"(?>(?:{group})*)"


def at_least_one(group: str) -> str:
    """``(?:group)++``: as many as there are, and one at least."""
    return f"(?:{group})++" if _SOUND else f"(?>(?:{group})+)"


def at_most(group: str, most: int) -> str:
    """``(?:group){1,most}+``: as many as there are, but one at least and no more than these."""
    return f"(?:{group}){{1,{most}}}+" if _SOUND else f"(?>(?:{group}){{1,{most}}})"
