"""Keys, and who one is."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from chalicelib.api.models.common import Input, Moment, Name, Output, Page
from chalicelib.core.access import Scope


class KeysQuery(Input):
    """A page of keys."""

    limit: Page = 50
    cursor: UUID | None = None


def _printable(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError("is made of printable characters")
    return name


class KeyRequest(Input):
    """What a new key is for. ``datasets`` are those that are there for it; null for all."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
    scopes: list[Scope] = Field(min_length=1, max_length=3)
    datasets: list[Name] | None = Field(default=None, min_length=1, max_length=100)


class Key(Output):
    """An API key, but for its token."""

    id: UUID
    name: str
    scopes: list[Scope]
    datasets: list[str] | None
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewKey(Key):
    """An API key and its token, which nobody can read again."""

    token: str


class KeyPage(Output):
    """Keys, newest first."""

    items: list[Key]
    next_cursor: UUID | None


class Me(Output):
    """Who one is, and what one may do."""

    id: str
    name: str
    scopes: list[Scope]
    datasets: list[str] | None


class Check(Output):
    """Whether something that we depend on answers."""

    status: str
    detail: str | None


class Health(Output):
    """Whether all is well."""

    status: str
    checks: dict[str, Check]
