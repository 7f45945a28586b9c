"""Receipts: what a job took is booked with what it did, and shown to who may see the job."""

import gzip
import json
import time
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.access import Caller, Scope
from chalicelib.errors import RequestRefused, Terminal
from tests.lambdas import lambdas
from tests.system import System, forever, members

ANYONE = Caller("k", "k", frozenset({Scope.READ}), None)
KEY = "input/members/file.csv"


def receipt(system: System, job: dict[str, Any]) -> dict[str, Any]:
    return system.container.receipts.get(ANYONE, UUID(job["id"]))


def test_a_job_has_a_receipt_in_its_manifest_and_in_the_api(system: System) -> None:
    began = time.monotonic()
    job = system.load(members(1, 2, 3) + b"bad\n")
    lasted = time.monotonic() - began
    shown = receipt(system, job)
    written = json.loads(system.file(f"error/members/job={job['id']}/manifest.json"))["receipt"]
    assert shown["job"] == job["id"]
    assert shown["worked_seconds"].keys() == {"split", "load", "finalise"}
    assert 0 < sum(shown["worked_seconds"].values()) < lasted
    # Here one process of the default memory does it all.
    worked = sum(shown["worked_seconds"].values())
    assert shown["gb_seconds"] == pytest.approx(worked * system.settings.memory_mb / 1024, abs=1e-6)
    assert shown["requests"] == {"invocations": 2, "s3_read": 3, "s3_write": 2, "sqs": 5}
    assert 0 < shown["cost_usd"] < 0.01
    assert 0 < shown["wall_seconds"] <= lasted
    assert shown["rows_per_second"] > 0
    assert {name: written[name] for name in ("worked_seconds", "gb_seconds", "requests", "cost_usd")} == {
        name: shown[name] for name in ("worked_seconds", "gb_seconds", "requests", "cost_usd")
    }
    assert written["wall_seconds"] == pytest.approx(shown["wall_seconds"], abs=5)


def test_each_function_is_booked_with_its_own_memory(system: System) -> None:
    system.drop(KEY, members(1, 2))
    batches: list[str] = []
    with lambdas(system, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512") as functions:
        while not batches:
            for body, delete in system.receive(system.settings.intake_queue):
                functions.message("split", body)
                delete()
            batches = [body for body, _ in system.receive(system.settings.batch_queue)]
    with lambdas(system, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="2048") as functions:
        functions.message("load", *batches)
    shown = receipt(system, system.job(KEY))
    worked = shown["worked_seconds"]
    assert worked["split"] > 0
    expected = worked["split"] * 0.5 + (worked["load"] + worked["finalise"]) * 2
    assert shown["gb_seconds"] == pytest.approx(expected, abs=1e-6)


def test_an_attempt_that_failed_is_on_the_receipt(system: System) -> None:
    system.split(KEY, members(1, 2))
    id = UUID(system.job(KEY)["id"])
    system.rows("alter table members rename to elsewhere")
    with pytest.raises(Terminal):
        system.container.intake.load(json.dumps({"job": str(id), "batch": 0}), forever)
    [(failed,)] = system.rows("select worked_ms from dropload.batch")
    assert failed > 0
    system.rows("alter table elsewhere rename to members")
    system.container.intake.load(json.dumps({"job": str(id), "batch": 0}), forever)
    [(both,)] = system.rows("select worked_ms from dropload.batch")
    assert both > failed
    assert receipt(system, system.job(KEY))["requests"]["invocations"] == 3  # a split, and two attempts


def test_a_file_that_was_refused_has_a_receipt_without_rows_a_second(system: System) -> None:
    job = system.load(b"nonsense\n1\n")
    assert job["state"] == "FAILED"
    shown = receipt(system, job)
    assert shown["rows_per_second"] is None
    assert shown["worked_seconds"]["finalise"] >= 0


def test_a_job_that_is_under_way_has_a_receipt_so_far(system: System) -> None:
    system.split(KEY, members(1, 2))
    shown = receipt(system, system.job(KEY))
    assert shown["wall_seconds"] > 0
    assert "finalise" not in shown["worked_seconds"]


def test_who_may_not_see_a_dataset_sees_no_receipt(system: System) -> None:
    job = system.load(members(1))
    stranger = Caller("k", "k", frozenset({Scope.READ}), frozenset({"plays"}))
    for caller, id in [(stranger, job["id"]), (ANYONE, "00000000-0000-7000-8000-000000000000")]:
        with pytest.raises(RequestRefused) as refused:
            system.container.receipts.get(caller, UUID(id))
        assert refused.value.status == 404


def test_a_removed_jobs_work_goes_with_it(system: System) -> None:
    system.load(members(1))
    assert system.rows("select count(*) from dropload.work") != [(0,)]
    system.rows("delete from dropload.job")
    assert system.rows("select count(*) from dropload.work") == [(0,)]


def test_staged_bytes_are_written_requests(system: System) -> None:
    job = system.load(gzip.compress(members(1, 2)), key="input/members/file.csv.gz")
    assert receipt(system, job)["requests"]["s3_write"] == 2
