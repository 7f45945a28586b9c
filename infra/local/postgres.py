"""A PostgreSQL server of our own on loopback: create the cluster, start, stop, recover from a crash.

The server is a child process. Its cluster lies in ``<state>/postgres``, or, when the account that it runs as cannot
enter that folder (root's home, say), in a folder under the system's temporary one, which the state remembers; no
permission of an existing folder is ever changed.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import psycopg2

from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.postgres_binaries import binaries, reachable, server_account
from infra.local.processes import Account, Child, free_port, spawn, stop_orphan, tail

NAME = "postgres"
USER = DATABASE = "dropload"
SETTINGS: Mapping[str, str] = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
"""Sensible for one machine; durability and everything else stay as PostgreSQL has them."""

START_ATTEMPTS = 8
START_PAUSE_SECONDS = 0.5
READY_TIMEOUT_SECONDS = 60
"""Recovery after a crash replays up to ``max_wal_size`` of log."""
STOP_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Cluster:
    """What the state remembers: where the cluster lies, which port it last had, the password of its owner."""

    folder: str
    port: int
    password: str

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return Path(self.folder) / "data"

    def url(self, database: str = DATABASE) -> str:
        """The URL of a database of this cluster."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"


class Postgres:
    """The server of one state folder."""

    def __init__(self, state: Path, settings: Mapping[str, str] = SETTINGS) -> None:
        self._state = state
        self._settings = settings
        self._account = server_account()
        self._child: Child | None = None

    def start(self) -> str:
        """Start the server, making the cluster first if there is none, and return its database's URL.

        Stops a server that an earlier run left behind. Raises StackError when the server does not come up.
        """
        cluster = self._remembered() or self._place()
        programs = self._programs(Path(cluster.folder))
        if not cluster.data.exists():
            self._initialise(cluster, programs)
        self._stop_earlier(cluster)
        for attempt in range(1, START_ATTEMPTS + 1):
            cluster = self._remember(Cluster(cluster.folder, free_port(cluster.port), cluster.password))
            child = self._child = self._spawn(cluster, programs)
            if self._wait_ready(child, cluster):
                return cluster.url()
            # For about two seconds after a crash the kernel may still hold the dead server's memory; and a port may
            # be taken between our look and the server's bind.
            if attempt < START_ATTEMPTS:
                time.sleep(START_PAUSE_SECONDS)
        raise StackError(f"PostgreSQL does not start. The end of {child.log}:\n{tail(child.log)}")

    @property
    def child(self) -> Child:
        """The server's process, once started."""
        if self._child is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._child

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self._child is not None:
            self._child.stop(signal.SIGINT, STOP_TIMEOUT_SECONDS)
            self._child = None

    def forget(self) -> None:
        """Stop what an earlier run left behind and remove the cluster."""
        cluster = self._remembered()
        if cluster is not None:
            self._stop_earlier(cluster)
            shutil.rmtree(cluster.folder, ignore_errors=True)
        self._memory.unlink(missing_ok=True)

    @property
    def _memory(self) -> Path:
        return self._state / "postgres.json"

    def _remembered(self) -> Cluster | None:
        try:
            cluster = Cluster(**json.loads(self._memory.read_text()))
        except FileNotFoundError:
            return None
        return cluster if Path(cluster.folder).exists() else None  # somebody cleaned up the temporary folder

    def _remember(self, cluster: Cluster) -> Cluster:
        write_private(self._memory, json.dumps(asdict(cluster)))
        return cluster

    def _place(self) -> Cluster:
        """Choose a folder that the server's account can reach."""
        self._state.mkdir(parents=True, exist_ok=True)
        if reachable(self._state, self._account):
            folder = self._state / "postgres"
            folder.mkdir(exist_ok=True)
        else:
            folder = self._elsewhere()
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)
        return self._remember(Cluster(str(folder), free_port(), secrets.token_urlsafe(16)))

    def _elsewhere(self) -> Path:
        for parent in ("/var/tmp", tempfile.gettempdir()):  # noqa: S108 (mkdtemp; first, as it outlives a reboot)
            if os.access(parent, os.W_OK) and reachable(Path(parent), self._account):
                return Path(tempfile.mkdtemp(prefix="dropload-postgres-", dir=parent))
        raise StackError(
            f"{_who(self._account)}, whom PostgreSQL runs as, can reach neither {self._state} nor a temporary folder: "
            "choose another folder with --state, or set DATABASE_URL."
        )

    def _programs(self, folder: Path) -> Path:
        """PostgreSQL's programs where the server's account can run them: copied, if the virtual environment is
        out of its reach."""
        programs = binaries()
        if reachable(programs / "postgres", self._account):
            return programs
        copy = folder / "programs"
        if not copy.exists():
            unfinished = folder / "programs.part"
            shutil.rmtree(unfinished, ignore_errors=True)
            # initdb and postgres look for lib and share beside their bin
            shutil.copytree(programs.parent, unfinished, ignore=shutil.ignore_patterns("include"))
            unfinished.rename(copy)
        return copy / "bin"

    def _initialise(self, cluster: Cluster, programs: Path) -> None:
        folder = Path(cluster.folder)
        unfinished = folder / "data.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = folder / "password"
        write_private(password_file, cluster.password)
        if self._account is not None:
            os.chown(password_file, self._account.uid, self._account.gid)
        command = [
            *(str(programs / "initdb"), f"--pgdata={unfinished}", f"--username={USER}", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"),
            *(["--no-sync"] if self._settings.get("fsync") == "off" else []),
        ]
        done = subprocess.run(
            command,
            cwd="/",
            capture_output=True,
            text=True,
            user=self._account.uid if self._account else None,
            group=self._account.gid if self._account else None,
            extra_groups=[] if self._account else None,
        )
        password_file.unlink()
        if done.returncode != 0:
            raise StackError(f"initdb failed as {_who(self._account)}:\n{done.stdout}{done.stderr}")
        unfinished.rename(cluster.data)

    def _stop_earlier(self, cluster: Cluster) -> None:
        """Stop a server that still runs on the cluster, and remove a pid file that names no server of ours."""
        stop_orphan(self._state, NAME, signal.SIGINT, STOP_TIMEOUT_SECONDS)
        pid_file = cluster.data / "postmaster.pid"
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            # The pid may belong to another program by now, which would make PostgreSQL refuse to start.
            if str(cluster.data) not in psutil.Process(int(pid_file.read_text().split()[0])).cmdline():
                pid_file.unlink()

    def _spawn(self, cluster: Cluster, programs: Path) -> Child:
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(cluster.port),
            "unix_socket_directories": "",
            "log_error_verbosity": "terse",  # the rest of a message quotes rows
            "log_min_error_statement": "panic",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(cluster.data), *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return spawn(self._state, NAME, command, environment=environment, account=self._account)

    def _wait_ready(self, child: Child, cluster: Cluster) -> bool:
        """Wait until the database answers, creating it if need be; False if the server ended instead."""
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while child.process.poll() is None:
            try:
                create_database(cluster.url("postgres"), DATABASE)
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    child.stop(signal.SIGQUIT, STOP_TIMEOUT_SECONDS)
                    raise StackError(f"PostgreSQL is not ready. The end of {child.log}:\n{tail(child.log)}") from None
                time.sleep(0.05)
            else:
                return True
        child.record.unlink(missing_ok=True)
        return False


def create_database(server_url: str, name: str, template: str = "template1") -> None:
    """Create the database ``name`` on the server unless it exists, as a copy of ``template``."""
    with closing(psycopg2.connect(server_url, connect_timeout=5)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor, suppress(psycopg2.errors.DuplicateDatabase):
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _who(account: Account | None) -> str:
    return f"the account {account.name}" if account else "this account"
