"""The services on a fresh database, bucket and queues."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from infra.local.emulator import Access
from tests.receiver import Receiver, receiving
from tests.system import System
from tests.webserver import AUTHORITY, WebServer, serving


@pytest.fixture
def aws(emulator: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point boto3 at the emulator."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def create(database_url: str, aws: None) -> Iterator[Callable[..., System]]:
    """Makes systems with other settings, all on the same database."""
    made = []

    def create(**changes: Any) -> System:
        made.append(System.create(database_url, **changes))
        return made[-1]

    yield create
    for system in made:
        system.container.database.close()


@pytest.fixture
def system(create: Callable[..., System]) -> System:
    return create()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """Somebody else's web server, that has files."""
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    with serving() as server:
        yield server


@pytest.fixture
def make(create: Callable[..., System], server: WebServer) -> Callable[..., System]:
    """The same as ``create``, but that ``server`` may be asked."""
    return partial(create, private_origins=(server.origin,))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody else, who has webhooks sent to them."""
    with receiving() as receiver:
        yield receiver
