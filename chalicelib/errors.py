"""Everything that dropload raises, sorted by whose move it is.

::

    DroploadError
    ├── CallerFault            the file, the descriptor or the request must change; trying again is pointless
    │   ├── FileRefused        a whole file cannot be loaded: the job ends FAILED with this code and message
    │   ├── ExportRefused      a dataset cannot be written as asked: the export ends FAILED with this code and message
    │   ├── UrlRefused         a URL leads where we do not go, or to an answer that we do not take
    │   ├── DescriptorError    a dataset's descriptor is wrong; carries every problem found
    │   └── RequestRefused     an API request cannot be served; carries the HTTP status it deserves
    ├── Transient              a passing trouble of ours (database down, object store slow): SQS delivers again
    │   └── Contended          two transactions were in each other's way: worth another try at once
    └── Terminal               a fault of ours that trying again cannot mend (an invariant is broken)
        └── TableDiffers       tables are not what descriptors ask for, and only a person may change that

Messages may be shown to anyone and are logged: they never hold a cell's value or a secret.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Class = Literal["file", "transient", "terminal"]
"""Whose move it is, as the reason of a failed job says it: the caller's, nobody's, or ours."""


class DroploadError(Exception):
    """Base of all raised on purpose: ``code`` is a stable word for programs, ``message`` a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class CallerFault(DroploadError):
    """The input must change before it can work."""


class FileRefused(CallerFault):
    """The file as a whole cannot be loaded (no header, wrong delimiter, gone, overwritten ...)."""


class ExportRefused(CallerFault):
    """A dataset cannot be written out in the way that was asked for."""


class UrlRefused(CallerFault):
    """A URL that is none, leads where we do not go, or is answered with what we do not take. Its query is not told."""


class DescriptorError(CallerFault):
    """A dataset's descriptor is wrong. ``problems`` lists each one as ``path: what is wrong and what to do``."""

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        super().__init__("descriptor-error", f"dataset {name}: " + "; ".join(problems))
        self.problems = tuple(problems)


class RequestRefused(CallerFault):
    """An API request that cannot be served; ``status`` is the HTTP status that says so.

    ``headers`` go with the answer, ``more`` are further members of the problem (``job``, ``errors`` ...).
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.headers = dict(headers or {})
        self.more = more


class Transient(DroploadError):
    """Ours, and expected to pass: the message goes back to its queue."""


class Contended(Transient):
    """The database gave this transaction up in favour of another one."""


class Terminal(DroploadError):
    """Ours, and not expected to pass: an invariant does not hold."""


class TableDiffers(Terminal):
    """Tables are not as their descriptors say. ``problems`` lists each as ``table: what is wrong and what to do``."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("table-differs", "; ".join(problems))
        self.problems = tuple(problems)


def class_of(error: BaseException) -> Class:
    """Whose move it is after this error. What nobody has raised on purpose is a fault of ours."""
    if isinstance(error, CallerFault):
        return "file"
    return "transient" if isinstance(error, Transient) else "terminal"
