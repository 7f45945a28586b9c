"""The services on a fresh database, bucket and queues."""

from collections.abc import Iterator

import pytest

from infra.local.emulator import Access
from tests.system import System


@pytest.fixture
def aws(emulator: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point boto3 at the emulator."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def system(database_url: str, aws: None) -> Iterator[System]:
    system = System.create(database_url)
    yield system
    system.container.database.close()
