"""The AWS emulator (ministack) as a child process on loopback, with its state in ``<state>/aws``.

It runs the Lambda functions itself, as its own children and with its own Python, which is why it runs in our virtual
environment: that one has what the functions need.
"""

import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3

from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.processes import Child, free_port, spawn, stop_orphan

NAME = "emulator"
ACCOUNT_ID = "000000000000"
REGION = "us-east-1"
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 30
"""It writes its state when it is asked to end."""


@dataclass(frozen=True)
class Access:
    """How to reach the emulator."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    region: str = REGION

    @property
    def environment(self) -> dict[str, str]:
        """The standard AWS_* variables that lead boto3 and the AWS command line there."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def session(self) -> boto3.Session:
        """Its keys for boto3; clients made from it need ``endpoint_url`` as well."""
        return boto3.Session(self.access_key_id, self.secret_access_key, region_name=self.region)


class Emulator:
    """The emulator of one state folder."""

    def __init__(self, state: Path, *, smtp_port: int | None = None, enforce_iam: bool = False) -> None:
        """``smtp_port``: where SES hands over its mails; ``enforce_iam``: hold callers to their policies."""
        self._state = state
        self._smtp_port = smtp_port
        self._enforce_iam = enforce_iam
        self._child: Child | None = None

    def start(self) -> Access:
        """Start the emulator and return how to reach it.

        Stops one that an earlier run left behind. Raises StackError when it does not come up.
        """
        stop_orphan(self._state, NAME, signal.SIGTERM, STOP_TIMEOUT_SECONDS)
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)  # code of functions that a crash left unpacked
        if not any((self._folder / "state").glob("*.json")):
            # It writes objects at once, but what it knows of their buckets only when it ends: these were never ready.
            shutil.rmtree(self._folder / "s3", ignore_errors=True)
        access = self._access()
        port = int(access.endpoint_url.rpartition(":")[2])
        for name in ("state", "s3", "tmp"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "ministack"]
        self._child = spawn(self._state, NAME, command, environment=self._environment(access, port))
        self._wait_ready(self._child, access)
        return access

    @property
    def child(self) -> Child:
        """The emulator's process, once started."""
        if self._child is None:
            raise RuntimeError("the emulator was not started")
        return self._child

    def stop(self) -> None:
        """End the emulator and the functions that it runs; it writes its state first."""
        if self._child is not None:
            self._child.stop(signal.SIGTERM, STOP_TIMEOUT_SECONDS)
            self._child = None

    def save(self) -> None:
        """Have the emulator write its state now, so that a crash does not lose what was deployed: it restarts."""
        self.stop()
        self.start()

    @property
    def _folder(self) -> Path:
        return self._state / "aws"

    def _access(self) -> Access:
        """The same address and keys as last time, unless somebody else has taken the port."""
        memory = self._state / "emulator.json"
        try:
            last = Access(**json.loads(memory.read_text()))
            port, key, secret = int(last.endpoint_url.rpartition(":")[2]), last.access_key_id, last.secret_access_key
        except FileNotFoundError:
            port, key, secret = free_port(), "dropload", os.urandom(20).hex()
        access = Access(f"http://127.0.0.1:{free_port(port)}", key, secret)
        write_private(memory, json.dumps(asdict(access)))
        return access

    def _environment(self, access: Access, port: int) -> Mapping[str, str]:
        # The functions inherit this environment, so nothing of ours that would steer them may get in.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DROPLOAD_"))}
        inherited.pop("DATABASE_URL", None)
        relay = {"SMTP_HOST": f"127.0.0.1:{self._smtp_port}"} if self._smtp_port else {}
        return {
            **inherited,
            **access.environment,
            **relay,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "MINISTACK_REGION": access.region,
            "AUTH": "true" if self._enforce_iam else "false",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._folder / "s3"),
            "TMPDIR": str(self._folder / "tmp"),
        }

    def _wait_ready(self, child: Child, access: Access) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            child.check()
            try:
                urllib.request.urlopen(f"{access.endpoint_url}/_ministack/health", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise StackError(f"the AWS emulator is not ready after {READY_TIMEOUT_SECONDS} seconds: see {child.log}")
