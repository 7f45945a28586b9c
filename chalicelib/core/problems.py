"""Collecting everything that is wrong with a descriptor, each with the path to it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Problems:
    """What has been found wrong so far, as ``path: what is wrong and what to do``."""

    found: list[str] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        """Note one problem."""
        self.found.append(f"{path}: {message}" if path else message)


@dataclass(slots=True)
class Node:
    """One object of a descriptor, read key by key; whatever does not fit is noted, and its default is used."""

    values: Mapping[str, object]
    path: str
    problems: Problems

    def at(self, key: str) -> str:
        """Return the path of ``key``, for messages."""
        return f"{self.path}.{key}" if self.path else key

    def problem(self, key: str, message: str) -> None:
        """Note that the value of ``key`` is wrong."""
        self.problems.add(self.at(key), message)

    def child(self, key: str) -> "Node":
        """Return the object under ``key``, empty where there is none."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, Mapping):
            self.problem(key, "must be an object")
            value = None
        return Node(value or {}, self.at(key), self.problems)

    def children(self, key: str) -> Iterator["Node"]:
        """Yield the objects of the list under ``key``; what is no object is noted and left out."""
        for index, item in enumerate(self._list(key)):
            path = f"{self.at(key)}[{index}]"
            if isinstance(item, Mapping):
                yield Node(item, path, self.problems)
            else:
                self.problems.add(path, "must be an object")

    def text(self, key: str, default: str = "") -> str:
        """Return the string under ``key``."""
        value = self.values.get(key, default)
        if isinstance(value, str):
            return value
        self.problem(key, "must be a string")
        return default

    def flag(self, key: str, default: bool) -> bool:
        """Return the boolean under ``key``."""
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.problem(key, "must be true or false")
        return default

    def count(self, key: str, *, least: int = 0) -> int | None:
        """Return the integer under ``key``, ``least`` or more; ``None`` where there is none."""
        value = self.values.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        if value is not None:
            self.problem(key, f"must be an integer, {least} or more")
        return None

    def share(self, key: str) -> float | None:
        """Return the number from 0 to 1 under ``key``; ``None`` where there is none."""
        value = self.values.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
            return float(value)
        if value is not None:
            self.problem(key, "must be a number from 0 to 1")
        return None

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the list of strings under ``key``."""
        if self.values.get(key) is None:
            return default
        items = self._list(key)
        texts = tuple(item for item in items if isinstance(item, str))
        if len(texts) != len(items):
            self.problem(key, "must be a list of strings")
        return texts

    def choice(self, key: str, allowed: Collection[str], default: str, later: Collection[str] = ()) -> str:
        """Return the string under ``key`` if it is ``allowed``; say of one of ``later`` that it is not supported."""
        value = self.text(key, default)
        if value in allowed:
            return value
        choices = ", ".join(allowed)
        if value in later:
            self.problem(key, f"{value} is not supported; supported: {choices}")
        else:
            self.problem(key, f"must be one of {choices}")
        return default

    def refuse(self, unsupported: Mapping[str, tuple[object, ...]]) -> None:
        """Note every key of ``unsupported`` whose value is none of the harmless ones listed for it."""
        for key, harmless in unsupported.items():
            value = self.values.get(key)
            if value is not None and value not in harmless:
                allowed = " or ".join(map(repr, harmless))
                self.problem(key, f"not supported; leave it out or set {allowed}" if harmless else "not supported")

    def _list(self, key: str) -> list[object]:
        value = self.values.get(key)
        if value is None:
            return []
        if isinstance(value, list | tuple):
            return list(value)
        self.problem(key, "must be a list")
        return []
