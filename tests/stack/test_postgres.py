import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest

from infra.local.postgres import Postgres
from tests.conftest import FAST_SETTINGS
from tests.stack.commands import kill


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path, FAST_SETTINGS)
    yield server
    server.stop()
    server.forget()


def query(url: str, statement: str) -> str:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return str(row[0]) if row else ""


def test_rows_and_address_survive_a_stop(server: Postgres) -> None:
    url = server.start()
    query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert server.start() == url
    assert query(url, "SELECT answer FROM kept") == "42"


def test_committed_rows_survive_a_kill_of_the_server(server: Postgres) -> None:
    url = server.start()
    query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill(server.child.process.pid)
    server.stop()
    assert query(server.start(), "SELECT answer FROM kept") == "42"


def test_a_server_that_an_earlier_run_left_behind_is_stopped(server: Postgres, tmp_path: Path) -> None:
    server.start()
    earlier = server.child.process
    later = Postgres(tmp_path, FAST_SETTINGS)
    try:
        url = later.start()
        assert earlier.wait(10) == 0
        assert query(url, "SELECT 1") == "1"
    finally:
        later.stop()


def test_a_pid_file_that_names_a_stranger_does_not_hinder_the_start(server: Postgres, tmp_path: Path) -> None:
    url = server.start()
    pid_file = Path(query(url, "SHOW data_directory")) / "postmaster.pid"
    stale = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *stale[1:]]) + "\n")
    assert query(server.start(), "SELECT 1") == "1"


def test_it_listens_on_loopback_only_and_asks_for_the_password(server: Postgres) -> None:
    url = server.start()
    listening = [each.laddr.ip for each in psutil.Process(server.child.process.pid).net_connections(kind="tcp")]
    assert listening == ["127.0.0.1"]
    user, _, rest = url.partition("@")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"{user}-not@{rest}")


def test_durability_and_encoding_are_what_production_has(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    try:
        url = server.start()
        settings = {name: query(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")}
        assert set(settings.values()) == {"on"}
        assert query(url, "SHOW server_encoding") == "UTF8"
        assert query(url, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C"
    finally:
        server.stop()
        server.forget()


def test_no_permission_of_an_existing_folder_is_changed(tmp_path: Path) -> None:
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    server = Postgres(parent / "state", FAST_SETTINGS)
    try:
        url = server.start()
        assert query(url, "SELECT 1") == "1"
        assert parent.stat().st_mode & 0o777 == 0o700
        assert parent.stat().st_uid == os.geteuid()
    finally:
        server.stop()
        server.forget()


def test_an_interrupted_stop_leaves_nothing_running(server: Postgres, tmp_path: Path) -> None:
    server.start()
    pid = server.child.process.pid
    server.child.process.send_signal(signal.SIGSTOP)
    server.child.stop(signal.SIGINT, timeout=0.2)
    assert not psutil.pid_exists(pid)
    assert not (tmp_path / "run" / "postgres.json").exists()
