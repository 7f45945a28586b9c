"""Who asks, and what that opens to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a caller may do. ``ADMIN`` opens everything; the others do not open one another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone whose token was found good. ``datasets`` are those that are there for them; None for all."""

    id: str
    name: str
    scopes: frozenset[Scope]
    datasets: frozenset[str] | None = None

    def may(self, scope: Scope) -> bool:
        """Whether a route that asks for this scope is open."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, dataset: str) -> bool:
        """Whether this dataset is there for them. One that is not is answered as if there were none: 404."""
        return self.datasets is None or dataset in self.datasets


EVERYONE = Caller("dropload", "dropload", frozenset(Scope))
"""Ourselves, for whom everything is there: commands of an operator on the database, tests."""


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes among some words; the others are somebody else's."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in words if word in known)
