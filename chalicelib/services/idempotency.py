"""The same request twice is served once: by its Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.errors import RequestRefused


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who sent it, the key that they gave it, and the digest of what it asks.

    ``dataset`` is whose records the answer may have.
    """

    caller: str
    key: str
    request: bytes
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, and the digest of what was asked; ``status`` is None while that is being served.

    ``body`` is None where it held a secret, or records of which some were erased, or got lost.
    """

    request: bytes
    status: int | None
    headers: Mapping[str, str]
    body: str | None


class Answers(Protocol):
    """Where answers are kept, for a day."""

    def begin(self, asked: Asked) -> Given | None:
        """None for who is to serve this request now, else what is known of the one with the same key."""

    def keep(self, asked: Asked, given: Given) -> None: ...

    def give_up(self, asked: Asked) -> None:
        """It was not served: the next one with its key is."""


class Idempotency:
    """Answers are kept but those of our own faults: whoever meets one should try again."""

    def __init__(self, *, answers: Answers) -> None:
        self._answers = answers

    def once(self, asked: Asked, serve: Callable[[], Given], *, keeps_body: bool) -> Given:
        """What ``serve`` answers, or has answered when it was called for this request before.

        Raises:
            RequestRefused: 409, the same request is being served, or its answer cannot be given again; 422, the key
                was given to another request.
        """
        found = self._answers.begin(asked)
        if found is None:
            return self._serve(asked, serve, keeps_body=keeps_body)
        if found.request != asked.request:
            raise RequestRefused(422, "idempotency-key-reused", "this Idempotency-Key was sent with another request")
        if found.status is None:
            raise RequestRefused(
                409, "under-way", "a request with this Idempotency-Key is being served", headers={"Retry-After": "1"}
            )
        if found.body is None:
            raise RequestRefused(
                409,
                "answered-once",
                "this was done, and the answer is not kept (a secret, erased records) or was lost: look what there is",
            )
        return found

    def _serve(self, asked: Asked, serve: Callable[[], Given], *, keeps_body: bool) -> Given:
        try:
            given = serve()
        except BaseException:
            self._answers.give_up(asked)
            raise
        if given.status is None or given.status >= 500:
            self._answers.give_up(asked)
        else:
            hidden = Given(given.request, given.status, given.headers, None)
            self._answers.keep(asked, given if keeps_body or given.status >= 400 else hidden)
        return given
