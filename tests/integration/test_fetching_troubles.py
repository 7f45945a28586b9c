"""Files that cannot be had from a web server, come in part or too late, or are no longer wanted."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import Transient
from chalicelib.services.fetch import MOST_ATTEMPTS
from tests.fetching import settled, start, view
from tests.system import System, forever, members
from tests.webserver import Handler, WebServer


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda handler: handler.send(b"gone", 404), "fetch-refused"),
        (lambda handler: handler.send(b"", 204), "fetch-refused"),
        (lambda handler: handler.send(b"x" * 5001), "byte-count"),
        (lambda handler: handler.send(b"", 302, Location="https://127.0.0.1:1/latest/meta-data"), "address-refused"),
        (lambda handler: handler.send(b"", 302, Location="/loop"), "too-many-redirects"),
    ],
)
def test_a_file_that_cannot_be_had_fails_its_job_at_once(
    make: Callable[..., System], server: WebServer, answer: Any, code: str
) -> None:
    system = make(fetch_bytes=5000)
    server.answers["/file.csv"] = server.answers["/loop"] = answer
    id = start(system, f"{server.origin}/file.csv?SECRET")
    job = settled(system, id)
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", code, "file")
    assert "SECRET" not in str(job)
    assert system.objects("input/") == []
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_server_that_sends_more_than_it_said_is_cut_off(make: Callable[..., System], server: WebServer) -> None:
    system = make(fetch_bytes=100_000)
    sent = 0

    def endless(handler: Handler) -> None:
        nonlocal sent
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            sent += 10_000

    server.answers["/file.csv"] = endless
    job = settled(system, start(system, f"{server.origin}/file.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "byte-count")
    assert sent < 50_000_000
    assert system.objects("input/") == []


def test_a_file_that_takes_too_long_fails_its_job(make: Callable[..., System], server: WebServer) -> None:
    system = make(fetch_seconds=1)

    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.02)

    server.answers["/file.csv"] = drip
    job = settled(system, start(system, f"{server.origin}/file.csv"))
    assert (job["state"], job["reason"]["code"]) == ("FAILED", "too-slow")


def test_a_passing_trouble_is_tried_five_times_and_then_ours(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient, match="503"):
            system.container.fetch.run(id, forever)
        assert view(system, id)["state"] == "PENDING"
    system.container.fetch.run(id, forever)
    job = view(system, id)
    assert (job["state"], job["reason"]["class"], job["attempts"]) == ("FAILED", "transient", 1)
    system.container.fetch.run(id, forever)
    assert len(server.requests) == MOST_ATTEMPTS


def test_a_job_that_is_tried_again_by_itself_is_fetched_again(make: Callable[..., System], server: WebServer) -> None:
    system = make(max_attempts=3)
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _, delete in system.receive(system.settings.fetch_queue):
        delete()
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient):
            system.container.fetch.run(id, forever)
    system.container.fetch.run(id, forever)
    assert view(system, id)["retry_at"] is not None
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    system.rows("update dropload.job set retry_at = now()")
    system.container.sweep.run()
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 1)


def test_a_job_that_is_given_up_for_good_forgets_its_source(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(b"", 503)
    id = start(system, f"{server.origin}/file.csv")
    for _ in range(MOST_ATTEMPTS - 1):
        with pytest.raises(Transient):
            system.container.fetch.run(id, forever)
    system.container.fetch.run(id, forever)
    job = view(system, id)
    assert (job["state"], job["reason"]["code"], job["retry_at"]) == ("FAILED", "exhausted", None)
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_file_that_broke_off_is_fetched_again_and_never_loaded_in_part(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()

    def breaks_off(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + members(1, 2))
        handler.close_connection = True

    server.answers["/file.csv"] = breaks_off
    id = start(system, f"{server.origin}/file.csv")
    with pytest.raises(Transient):
        system.container.fetch.run(id, forever)
    assert system.objects("input/") == []
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2, 3))
    assert settled(system, id)["counts"]["inserted"] == 3


def test_dead_letters_of_a_fetch_fail_its_job(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.container.intake.bury_split(f'{{"job": "{id}"}}')
    job = view(system, id)
    assert (job["state"], job["reason"]["class"]) == ("FAILED", "transient")
    system.container.ledger.drop_left_over()
    assert system.rows("select url from dropload.source") == [(None,)]
    system.pump()
    assert server.requests == []


def test_what_comes_for_a_job_that_has_ended_is_not_loaded(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.container.intake.bury_split(f'{{"job": "{id}"}}')
    system.drop(view(system, id)["object"]["key"], members(1))
    assert settled(system, id)["state"] == "FAILED"
    assert system.rows("select id from public.members") == []


def test_a_fetch_that_is_called_off_asks_nobody(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv?SECRET")
    system.container.cancel.run(id)
    job = settled(system, id)
    system.container.ledger.drop_left_over()
    assert (job["state"], server.requests) == ("CANCELLED", [])
    assert system.rows("select url from dropload.source") == [(None,)]


@pytest.mark.parametrize("looks", [True, False])
def test_a_file_that_is_called_off_on_its_way_is_not_loaded(
    make: Callable[..., System], server: WebServer, looks: bool
) -> None:
    system = make()
    ticks = iter(range(0, 10**9, 60 if looks else 1))
    system.container.fetch._clock = lambda: float(next(ticks))

    def called_off(handler: Handler) -> None:
        system.container.cancel.run(job_id)
        handler.send(members(*range(100)))

    server.answers["/file.csv"] = called_off
    job_id = start(system, f"{server.origin}/file.csv")
    job = settled(system, job_id)
    assert job["state"] == "CANCELLED"
    assert system.rows("select id from public.members") == []
    assert (system.objects("input/") == []) is looks
