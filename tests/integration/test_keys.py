"""API keys: shown once, kept as a hash, and worth nothing once revoked."""

import pytest

from chalicelib.errors import CallerFault
from tests.system import System


def test_key_opens_what_it_was_made_for(system: System) -> None:
    token = system.container.keys.create("reporting", ["read"])
    found = system.container.authentication.caller(f"Bearer {token}")
    assert found is not None
    assert found.scopes == {"read"}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer dropload_wrong", "Basic dropload_x", "nonsense"])
def test_anything_else_opens_nothing(system: System, header: str) -> None:
    assert system.container.authentication.caller(header) is None


def test_revoked_key_opens_nothing(system: System) -> None:
    token = system.container.keys.create("old", ["admin"])
    system.rows("update dropload.api_key set revoked_at = now()")
    assert system.container.authentication.caller(f"Bearer {token}") is None


def test_token_is_nowhere_in_the_database(system: System) -> None:
    token = system.container.keys.create("secret", ["read"])
    [(stored,)] = system.rows("select string_agg(api_key::text, '') from dropload.api_key")
    assert token not in stored
    assert token.encode().hex() not in stored


def test_unknown_scope_is_refused_by_name(system: System) -> None:
    with pytest.raises(CallerFault, match="fly"):
        system.container.keys.create("x", ["read", "fly"])
