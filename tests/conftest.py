"""What the tests share: one PostgreSQL and one AWS emulator a session, a database a test, a whole stack on request."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from _pytest.nodeid import coerce_node_id

from chalicelib.adapters.descriptors import load_datasets
from chalicelib.adapters.postgres.database import Database
from chalicelib.adapters.postgres.schema import Schema
from infra.local.emulator import Access, Emulator
from infra.local.postgres import Postgres, create_database
from infra.local.processes import free_port
from infra.local.state import forget
from tests.stack.commands import dev, print_logs

ROOM_BYTES = 4 * 1024**3
FAST_SETTINGS = {"shared_buffers": "64MB", "fsync": "off", "full_page_writes": "off"}
"""For tests that do not pull the plug of the machine; a killed server still recovers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is waited for alone at the end.

    pytest 9.2 calls all of schemathesis' tests by one name, of which xdist would run the first alone.
    """
    for item in items:
        label = getattr(item, "operation_label", None)
        if label is not None and label not in item.nodeid:
            item._id = coerce_node_id(f"{item.nodeid}[{label}]")
    assert len({item.nodeid for item in items}) == len(items), "tests of one name: only one of them would be run"
    items.sort(key=lambda item: item.path.parent.name not in ("faults", "stack"))


@pytest.fixture(scope="session")
def fast_folder() -> Iterator[Path]:
    """A folder in memory where the machine has one with room, since each new database is hundreds of files."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix="dropload-", dir=memory if roomy else None) as folder:
        Path(folder).chmod(0o711)  # the account that PostgreSQL runs as may pass
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_url(fast_folder: Path) -> Iterator[str]:
    """The URL of a database of a PostgreSQL server that lives as long as the session."""
    server = Postgres(fast_folder, FAST_SETTINGS)
    try:
        yield server.start()
    finally:
        server.stop()
        server.forget()


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The name of a database with the ledger and the shipped datasets' tables, to be copied: faster than to migrate."""
    server, _, _ = postgres_url.rpartition("/")
    create_database(postgres_url, "migrated")
    database = Database(lambda: f"{server}/migrated")
    Schema(database, load_datasets()).apply()
    database.close()
    return "migrated"


@pytest.fixture
def database_url(postgres_url: str, migrated: str) -> Iterator[str]:
    """The URL of a database for one test, dropped afterwards; ledger and tables are there."""
    with passing_database(postgres_url, migrated) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a database for one test, dropped afterwards; nothing is in it."""
    with passing_database(postgres_url, "template1") as url:
        yield url


@contextmanager
def passing_database(server_url: str, template: str) -> Iterator[str]:
    """The URL of a copy of another database, which is dropped in the end."""
    name = f"test_{secrets.token_hex(4)}"
    server, _, _ = server_url.rpartition("/")
    create_database(server_url, name, template)
    try:
        yield f"{server}/{name}"
    finally:
        drop_database(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database with whoever is still connected to it."""
    with closing(psycopg2.connect(server_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """How to reach an AWS emulator that lives as long as the session; ``.environment`` has the AWS_* variables."""
    state = tmp_path_factory.mktemp("emulator")
    server = Emulator(state)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The whole stack, as long as the session lives: what its ``local.json`` says, and what server it may call."""
    state = tmp_path_factory.mktemp("stack")
    own = free_port()
    up = ("up", "--detach", "--no-sample", "--state", state, "--port", str(free_port()))
    started = dev(*up, DROPLOAD_PRIVATE_ORIGINS=f"http://localhost:{own}")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield {**json.loads((state / "local.json").read_text()), "may_call": own}
    finally:
        if request.session.testsfailed:
            print_logs(state)
        dev("down", "--state", state)
        forget(state)
