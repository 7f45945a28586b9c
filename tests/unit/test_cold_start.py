"""A function that starts anew imports what it works with, and nothing of what others do: all of that is waited for."""

import json
import os
import subprocess
import sys

import pytest

from infra.local.paths import ROOT

# Modules that one function alone has a use for.
OWN = {
    "load": "chalicelib.services.load",
    "split": "chalicelib.services.unpack",
    "convert": "chalicelib.services.convert",
    "notify": "chalicelib.services.notify",
    "export": "chalicelib.services.export",
    "fetch": "chalicelib.services.fetch",
    "deliver": "chalicelib.services.deliver",
    "sweep": "chalicelib.services.sweep",
}
REQUESTS = {"pydantic", "chalicelib.api.routing", "chalicelib.services.authentication"}
SETTINGS = [
    "DATABASE_URL",
    "DROPLOAD_BUCKET",
    "DROPLOAD_INTAKE_QUEUE_URL",
    "DROPLOAD_BATCH_QUEUE_URL",
    "DROPLOAD_CONVERT_QUEUE_URL",
    "DROPLOAD_NOTIFY_QUEUE_URL",
    "DROPLOAD_EXPORT_QUEUE_URL",
    "DROPLOAD_FETCH_QUEUE_URL",
    "DROPLOAD_WEBHOOK_QUEUE_URL",
    "DROPLOAD_MAIL_FROM",
    "DROPLOAD_ENGINEERS",
    "DROPLOAD_PUBLIC_URL",
]


def imported_by(function: str) -> set[str]:
    """What is imported once a process has started as this function, before anything has been asked of it."""
    environment = {**os.environ, **dict.fromkeys(SETTINGS, "x"), "_HANDLER": f"app.{function}"}
    program = "import json, sys, app; print(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("function", OWN)
def test_a_function_of_a_queue_starts_with_its_own_service_and_no_others(function: str) -> None:
    imported = imported_by(function)
    shared = {OWN["split"]} if function in {"convert", "fetch", "sweep"} else set()  # what they begin, it goes on with
    assert (imported & set(OWN.values())) - shared == {OWN[function]}
    assert imported & REQUESTS == set()
    assert ("re2" in imported) == (function == "load")


@pytest.mark.parametrize("function", ["migrate", "create_key", "bury_intake"])
def test_what_is_seldom_called_starts_with_nothing(function: str) -> None:
    assert imported_by(function) & {*OWN.values(), *REQUESTS, "boto3"} == set()


def test_the_api_starts_with_its_routes_and_nothing_that_loads_files() -> None:
    imported = imported_by("app")
    assert "chalicelib.api.routing" in imported
    assert imported & {*OWN.values(), "chalicelib.adapters.postgres.ledger"} == set()
