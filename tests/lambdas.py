"""The functions as Lambda runs them: a process with the template's environment, whose standard output is its log."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from infra.local.paths import ROOT
from tests.system import System

_DONE = "-- done"
_PROGRAM = f"""
import json, sys, traceback, types
import app
from chalicelib.api import auth
for line in sys.stdin:
    name, event = json.loads(line)
    left = types.SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 900_000)
    try:
        getattr(auth if name == "authorize" else app, name)(event, left)
    except Exception:
        traceback.print_exc(file=sys.stdout)  # so does Lambda
    print({_DONE!r}, flush=True)
"""


class Lambdas:
    """All functions in one process."""

    def __init__(self, process: "subprocess.Popen[str]", system: System) -> None:
        self._process = process
        self._system = system
        self.lines: list[str] = []

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged, a JSON object each."""
        return [json.loads(line) for line in self.lines]

    def invoke(self, function: str, event: Mapping[str, Any]) -> list[str]:
        """The lines that this invocation has logged, and what Lambda logs of an error that it ends with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([function, event]) + "\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.rstrip("\n") == _DONE:
                assert "the environment variable" not in "".join(lines), lines
                self.lines += lines
                return lines
            lines.append(line.rstrip("\n"))
        raise AssertionError(f"the process has ended: {lines}")

    def message(self, function: str, body: str) -> list[str]:
        """Deliver a message of a queue."""
        record = {
            "messageId": "m",
            "receiptHandle": "r",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{function}-nowhere",
        }
        return self.invoke(function, {"Records": [record]})

    def pump(self) -> None:
        """Deliver every message until all queues are empty."""
        settings = self._system.settings
        consumers = {
            settings.intake_queue: "split",
            settings.batch_queue: "load",
            settings.convert_queue: "convert",
            settings.fetch_queue: "fetch",
            settings.notify_queue: "notify",
            settings.export_queue: "export",
            settings.webhook_queue: "deliver",
        }
        delivered = True
        while delivered:
            delivered = False
            for queue, function in consumers.items():
                for body, delete in self._system.receive(queue):
                    self.message(function, body)
                    delete()
                    delivered = True


@contextmanager
def lambdas(system: System, **environment: str) -> Iterator[Lambdas]:
    """The functions on this system's database, bucket and queues."""
    settings = system.settings
    queues = [field.name for field in fields(settings) if field.name.endswith("_queue")]
    own = {
        "DATABASE_URL": system.database_url,
        "DROPLOAD_BUCKET": settings.bucket,
        **{f"DROPLOAD_{name.upper()}_URL": getattr(settings, name) for name in queues},
        "DROPLOAD_WEBHOOK_KEY": settings.webhook_key or "",
        "DROPLOAD_MAIL_FROM": settings.mail_from,
        "DROPLOAD_ENGINEERS": ",".join(settings.engineers),
        "DROPLOAD_MAIL_SETTLE_SECONDS": str(settings.mail_settle_seconds),
        "DROPLOAD_PUBLIC_URL": settings.public_url,
        "DROPLOAD_LOG_FORMAT": "JSON",
        **environment,
    }
    command = [sys.executable, "-c", _PROGRAM]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **own},
        cwd=ROOT,
    )
    with process:
        try:
            yield Lambdas(process, system)
        finally:
            process.kill()
