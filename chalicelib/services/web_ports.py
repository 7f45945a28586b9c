"""What services need from other people's web servers."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Answer(Protocol):
    """A server's answer, whatever its status."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Their names are in lower case."""

    @property
    def url(self) -> str:
        """Where it came from in the end, as it may be shown to anyone."""

    def chunks(self, most_bytes: int) -> Iterator[bytes]:
        """The whole body, in pieces of at most this many bytes.

        Raises Transient where it ends before its end, or not in time.
        """

    def read(self, most_bytes: int) -> bytes:
        """The beginning of the body. Raises as ``chunks``."""


class Web(Protocol):
    """HTTPS to anyone on the internet, and to nobody else."""

    def open(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = ...,
        body: bytes | None = None,
        seconds: float,
        redirects: int = 0,
    ) -> AbstractContextManager[Answer]:
        """Ask, and follow so many redirects (of a GET only); all together, the body included, within ``seconds``.

        Raises UrlRefused for a URL that is none or leads where we do not go, also by a redirect; Transient where the
        server does not answer. One redirect too many is refused, but with none to be followed it is an answer.
        """
