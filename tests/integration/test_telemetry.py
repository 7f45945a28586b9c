"""What the functions say: job and batch on every line, metrics that are the books, and never a value of a file."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.adapters.aws import client
from chalicelib.services.metrics import COUNTED, Metric
from tests.lambdas import Lambdas, lambdas
from tests.system import MEMBERS, System, member, members

MARK = "Zyzzyva"
SECRET = "dropload_Quokka"


@pytest.fixture
def functions(system: System) -> Iterator[Lambdas]:
    with lambdas(system) as functions:
        yield functions


def totals(functions: Lambdas, dataset: str) -> Counter[str]:
    """The sum of each metric of a dataset."""
    found: Counter[str] = Counter()
    for line in functions.events:
        if "_aws" in line and line.get("dataset") == dataset:
            for directive in line["_aws"]["CloudWatchMetrics"]:
                for metric in directive["Metrics"]:
                    found[metric["Name"]] += line[metric["Name"]]
    return found


def test_every_line_about_a_job_names_it(system: System, functions: Lambdas) -> None:
    system.drop("input/members/a.csv", members(1, 2) + member(2).encode())
    functions.pump()
    job = system.job("input/members/a.csv")
    lines = {line["message"]: line for line in functions.events}
    assert {"started", "batch loaded", "job ended"} <= lines.keys()
    for line in functions.events:
        if line["function"] in ("split", "load"):
            assert (line["job"], line["dataset"], line["request_id"]) == (job["id"], "members", "request-1"), line
    assert not functions.events[-1]["cold_start"]
    assert lines["batch loaded"]["batch"] == 0
    assert lines["job ended"]["state"] == "COMPLETED_WITH_FAILURES"
    assert lines["started"]["key"] == lines["job ended"]["key"] == "input/members/a.csv"


def test_the_log_says_why_a_file_was_refused(system: System, functions: Lambdas) -> None:
    system.drop("input/members/a.csv", b"nonsense\n1\n")
    functions.pump()
    line = next(line for line in functions.events if line["message"] == "job ended")
    assert (line["state"], line["class"]) == ("FAILED", "file")
    assert line["reason"] == system.job("input/members/a.csv")["reason"]["code"]


@pytest.mark.parametrize("dataset", ["members", "plays", "products"])
def test_the_sums_of_the_metrics_are_the_books(system: System, functions: Lambdas, dataset: str) -> None:
    files = {
        "members": [members(1, 2, 3), members(3, 4) + b"bad\n"],
        "plays": [b"song,date,plays\na,2026-01-01,1\na,2026-01-01,2\nb,2026-13-01,1\n"] * 2,
        "products": [
            b"name,sku,description,status\nA,s1,x,active\n,s2,x,active\n",
            b"name,sku,description,status\nB,s1,x,active\n",
        ],
    }[dataset]
    metadata = {"dropload-validate-only": "true"}
    for number, data in enumerate(files):
        system.drop(f"input/{dataset}/{number}.csv", data)
        system.drop(f"input/{dataset}/{number}-looked-at.csv", data, metadata)
        functions.pump()
    jobs = system.container.views.jobs(dataset=dataset, limit=100)
    assert all(job["balanced"] for job in jobs)
    found = totals(functions, dataset)
    for name, metric in COUNTED.items():
        assert found[metric] == sum(job["counts"][name] for job in jobs), metric
    ended = Counter(job["state"] for job in jobs)
    assert found[Metric.JOBS_COMPLETED] == ended["COMPLETED"]
    assert found[Metric.JOBS_COMPLETED_WITH_FAILURES] == ended["COMPLETED_WITH_FAILURES"]
    assert found[Metric.JOBS_DUPLICATE] == ended["DUPLICATE"]
    assert found[Metric.BATCHES_LOADED] == sum(job["progress"]["batches"]["succeeded"] for job in jobs)


def test_the_first_invocation_of_a_process_says_that_it_is(functions: Lambdas) -> None:
    first, second = functions.message("load", "{}"), functions.message("load", "{}")
    assert [json.loads(lines[0])["cold_start"] for lines in (first, second)] == [True, False]


def test_what_a_function_fails_of_is_logged_with_its_job_and_counted(system: System, functions: Lambdas) -> None:
    system.drop("input/members/a.csv", members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    system.rows("alter table members rename to elsewhere")
    [(body, delete)] = list(system.receive(system.settings.batch_queue))
    functions.message("load", body)
    delete()
    failed = [json.loads(line) for line in functions.lines if line.startswith("{")]
    line = next(line for line in failed if line["message"] == "failed")
    assert (line["level"], line["batch"], line["dataset"]) == ("WARNING", 0, "members")
    assert line["job"] == system.job("input/members/a.csv")["id"]
    assert line["error_code"] == "database-refused"
    [counted] = [line for line in failed if Metric.FAILURES in line]
    assert (counted["job"], counted["batch"]) == (line["job"], 0)
    assert counted["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["function"]]


def test_the_authorizers_failures_are_logged_as_all_others_and_without_the_token(system: System) -> None:
    event = {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {SECRET}",
        "methodArn": "arn:aws:execute-api:a:1:x/prod/GET/v1/jobs",
    }
    with lambdas(system, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as functions:
        lines = functions.invoke("authorize", event)
    [counted] = [json.loads(line) for line in lines if Metric.FAILURES in line]
    assert (counted["function"], counted["error_code"]) == ("authorize", "database-unavailable")
    assert SECRET not in "".join(lines)


def test_no_value_of_a_file_is_logged_whatever_happens(system: System, functions: Lambdas) -> None:
    good = member(1, first_name=MARK, last_name=f"{MARK}-2")
    bad = (
        good
        + f"{MARK},{MARK},{MARK},{MARK},{MARK}\n"  # of the wrong types
        + f"{MARK},too few\n"
        + member(2, first_name=f'"{MARK}')  # a quote that never closes
    )
    system.drop("input/members/dirty.csv", (MEMBERS + bad).encode())
    system.drop("input/members/binary.csv", (MEMBERS + member(3, first_name=MARK)).encode() + b"\xff\xfe\0")
    system.drop("input/members/header.csv", f"{MARK},b\n1,2\n".encode())
    system.drop("input/members/damaged.csv.gz", b"\x1f\x8b\x08" + MARK.encode() * 10)
    system.drop("input/members/damaged.xlsx", b"PK\x03\x04" + MARK.encode() * 100)
    system.drop(
        "input/members/rows.jsonl",
        json.dumps({"first_name": MARK, "phone_number": MARK}).encode() + b"\n{" + MARK.encode(),
    )
    system.drop("input/plays/a.csv", f"song,date,plays\n{MARK},{MARK},{MARK}\n{MARK},2026-01-01,1\n".encode())
    functions.pump()
    # A table that refuses what the rules let pass, and one that is gone: PostgreSQL's own messages quote the row.
    system.rows("alter table members add constraint odd check (first_name not like 'Zyzzyva%') not valid")
    system.drop("input/members/refused.csv", (MEMBERS + member(9, first_name=MARK)).encode())
    while not system.deliver(system.settings.intake_queue):
        pass
    for body, delete in system.receive(system.settings.batch_queue):
        functions.message("load", body)
        functions.message("bury_batch", body)
        delete()
    for function, body in [
        ("split", f'{{"{MARK}": 1}}'),
        ("load", MARK),
        ("load", json.dumps({"job": MARK, "batch": MARK})),
        ("convert", f'"{MARK}"'),
        ("bury_intake", MARK),
        ("bury_batch", MARK),
        ("bury_export", MARK),
    ]:
        functions.message(function, body)
    functions.invoke("sweep", sweep_event())
    functions.invoke("create_key", {"name": MARK, "scopes": ["read"]})
    functions.pump()
    assert len(functions.lines) > 30
    told = "\n".join(functions.lines)
    assert MARK not in told
    assert system.settings.database_url is not None
    assert system.settings.database_url not in told


def test_locally_lines_are_text(system: System) -> None:
    system.drop("input/members/a.csv", members(1, 2))
    with lambdas(system, DROPLOAD_LOG_FORMAT="Text") as functions:
        functions.pump()
    [line] = [line for line in functions.lines if " batch loaded " in line]
    assert "RecordsRead=2" in line
    assert "_aws" not in line


def test_the_sweep_tells_how_things_stand(system: System, functions: Lambdas) -> None:
    system.drop("input/members/a.csv", members(1))
    [stored] = system.announced()
    system.container.split.open(stored, validate_only=False)
    system.rows("update dropload.job set created_at = now() - interval '2 hours'")
    functions.invoke("sweep", sweep_event())
    line = next(line for line in functions.events if line["message"] == "swept")
    assert line[Metric.JOBS_OPEN] == 1
    assert 7200 <= line[Metric.OLDEST_PENDING_SECONDS] < 7300
    assert (line[Metric.SWEEPS], line["function"]) == (1, "sweep")


def test_what_is_invoked_by_hand_is_named_too(functions: Lambdas) -> None:
    functions.invoke("create_key", {"name": "x", "scopes": ["fly"]})
    assert {json.loads(line)["function"] for line in functions.lines if line.startswith("{")} == {"create_key"}


def sweep_event() -> dict[str, Any]:
    names = ("version", "account", "region", "detail", "detail-type", "source", "time", "id")
    return {**dict.fromkeys(names, "-"), "resources": []}


def request(path: str, method: str = "GET", body: str | None = None, **arguments: str) -> dict[str, Any]:
    """What API Gateway hands on of a request that its authorizer has let in."""
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "authorizer": {"id": "k", "name": "k", "scopes": "read write admin", "datasets": "*"},
        },
        "headers": {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": arguments or None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
    }


def test_requests_are_measured_by_their_answers(system: System, functions: Lambdas) -> None:
    job = system.load(members(1) + b"bad\n")
    functions.invoke("app", request("/v1/jobs/{id}", id=job["id"]))
    functions.invoke("app", request("/v1/jobs/{id}/rejected.csv", id=job["id"]))
    functions.invoke("app", request("/v1/jobs/{id}", id="00000000-0000-7000-8000-000000000000"))
    with lambdas(system, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as alone:
        alone.invoke("app", request("/v1/jobs/{id}", id=job["id"]))
    lines = [line for line in functions.events + alone.events if line["message"] == "answered"]
    assert [line["status"] for line in lines] == [200, 303, 404, 503]
    for line, metric in zip(lines, [Metric.API_2XX, Metric.API_3XX, Metric.API_4XX, Metric.API_5XX], strict=True):
        assert (line[metric], line["function"], line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) == (
            1,
            "api",
            [["function"]],
        )
        assert 0 < line[Metric.API_SECONDS] < 60
        assert "id" not in line["route"].replace("{id}", "")
    assert SECRET not in "".join(functions.lines + alone.lines)


def test_every_metric_is_emitted(system: System, functions: Lambdas) -> None:
    """All but the classes of answers, which have a test of their own."""
    system.drop("input/members/a.csv", members(1, 2) + b"bad\n")
    functions.pump()
    system.drop("input/members/a.csv", members(1, 2) + b"bad\n")  # a duplicate
    system.drop("input/members/b.csv", members(3))
    functions.pump()
    system.drop("input/members/header.csv", b"nonsense\n1\n")
    functions.pump()
    system.drop("input/members/gone.csv", members(4))
    bodies = split_only(system, functions)
    everything = client("s3").list_object_versions(Bucket=system.settings.bucket, Prefix="input/members/gone.csv")
    for version in everything["Versions"]:
        key = {"Bucket": system.settings.bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        client("s3").delete_object(**key)
    functions.message("load", *bodies)
    system.drop("input/members/cancelled.csv", members(5))
    [body] = split_only(system, functions)
    system.container.cancel.run(UUID(json.loads(body)["job"]))
    functions.pump()
    functions.message("load", "{}")
    functions.message("notify", "{}")
    functions.invoke("sweep", sweep_event())
    emitted = {metric.value for metric in Metric for line in functions.lines if f'"{metric}"' in line}
    answers = {Metric.API_2XX, Metric.API_3XX, Metric.API_4XX, Metric.API_5XX, Metric.API_SECONDS}
    assert {metric.value for metric in Metric} - answers - emitted == set()


def split_only(system: System, functions: Lambdas) -> list[str]:
    """Have what was dropped split; the messages of its batches."""
    bodies: list[str] = []
    while not bodies:
        for body, delete in system.receive(system.settings.intake_queue):
            functions.message("split", body)
            delete()
        for body, delete in system.receive(system.settings.batch_queue):
            bodies.append(body)
            delete()
    return bodies
