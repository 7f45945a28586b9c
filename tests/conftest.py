"""What the tests share: one PostgreSQL and one AWS emulator a session, a database a test, a whole stack on request."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from infra.local.emulator import Access, Emulator
from infra.local.postgres import Postgres, create_database

FAST_SETTINGS = {"shared_buffers": "64MB", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests that do not pull the plug of the machine; a killed server still recovers."""


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database of a PostgreSQL server that lives as long as the session."""
    server = Postgres(tmp_path_factory.mktemp("postgres"), FAST_SETTINGS)
    try:
        yield server.start()
    finally:
        server.stop()
        server.forget()


@pytest.fixture
def database_url(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database for one test, dropped afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    server, _, _ = postgres_url.rpartition("/")
    create_database(postgres_url, name)
    try:
        yield f"{server}/{name}"
    finally:
        drop_database(postgres_url, name)


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
