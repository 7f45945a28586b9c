"""Jobs for files on somebody's web server: each is fetched once, and loaded by one job."""

import tracemalloc
from collections.abc import Callable

from chalicelib.adapters.postgres.gauges import PostgresInstruments
from tests.fetching import settled, start, view
from tests.system import System, forever, member, members
from tests.webserver import Handler, WebServer


def test_a_file_on_a_web_server_is_loaded_by_one_job(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/a/Members%20of%20May.csv"] = lambda handler: handler.send(members(*range(1, 2001)))
    id = start(system, f"{server.origin}/a/Members%20of%20May.csv?sig=SECRET")
    before = view(system, id)
    assert (before["state"], before["object"]["size"]) == ("PENDING", 0)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"], job["balanced"]) == ("COMPLETED", 2000, True)
    assert job["object"]["key"] == f"input/members/fetch={id}/Members_of_May.csv"
    assert job["object"]["size"] == len(members(*range(1, 2001)))
    assert job["source"] == f"{server.origin}/a/Members%20of%20May.csv"
    assert system.rows("select url from dropload.source") == [(None,)]


def test_a_message_too_many_does_nothing_and_asks_nobody(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2))
    id = start(system, f"{server.origin}/file.csv")
    system.container.queues.send_fetch(id)
    system.deliver(system.settings.fetch_queue, times=3)
    job = settled(system, id)
    system.container.fetch.run(id, forever)
    assert job["counts"]["inserted"] == 2
    assert len(server.requests) == 1


def test_while_one_worker_fetches_another_one_does_not(make: Callable[..., System], server: WebServer) -> None:
    system = make()

    def slow(handler: Handler) -> None:
        system.container.fetch.run(job_id, forever)  # a message that came twice
        handler.send(members(1))

    server.answers["/file.csv"] = slow
    job_id = start(system, f"{server.origin}/file.csv")
    job = settled(system, job_id)
    assert (job["counts"]["inserted"], len(server.requests)) == (1, 1)


def test_a_worker_that_died_is_followed_when_no_worker_can_still_be_at_it(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    assert system.container.fetches.begin(id, 960.0) is not None  # and is never heard of again
    system.pump()
    assert (view(system, id)["state"], server.requests) == ("PENDING", [])
    system.rows("update dropload.source set leased_until = now(); update dropload.job set created_at = '2020-01-01'")
    system.container.sweep.run()
    assert settled(system, id)["counts"]["inserted"] == 1


def test_who_waits_for_somebody_elses_server_is_not_counted_as_pending_with_us(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    start(system, f"{server.origin}/file.csv")
    system.rows("update dropload.job set created_at = now() - interval '2 hours'")
    gauges = PostgresInstruments(system.container.database).read()
    assert (gauges.jobs_open, gauges.oldest_pending_seconds) == (1, 0)


def test_memory_does_not_grow_with_the_file(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    size = 160 * 1024 * 1024

    def large(handler: Handler) -> None:
        handler.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 65536):
            handler.wfile.write(bytes(65536))

    server.answers["/file.csv"] = large
    id = start(system, f"{server.origin}/file.csv")
    tracemalloc.start()
    try:
        system.container.fetch.run(id, forever)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert view(system, id)["object"]["size"] == size
    assert peak < 64 * 1024 * 1024


def test_the_object_is_its_jobs_whoever_learns_of_it_first(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1, 2))
    id = start(system, f"{server.origin}/file.csv")
    # The worker dies when the object is there: S3's announcement finds the job.
    key = view(system, id)["object"]["key"]
    system.drop(key, members(1, 2))
    [stored] = system.announced()
    system.container.split.announced(stored, forever)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 2)
    assert server.requests == []


def test_an_object_that_is_there_already_is_not_fetched_again(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    id = start(system, f"{server.origin}/file.csv")
    system.drop(view(system, id)["object"]["key"], members(1, 2))
    for _ in system.receive(system.settings.intake_queue):
        pass  # S3's announcement is lost, as far as this test goes
    system.container.fetch.run(id, forever)
    job = settled(system, id)
    assert (job["state"], job["counts"]["inserted"]) == ("COMPLETED", 2)
    assert server.requests == []


def test_the_sweep_sends_a_fetch_whose_message_was_lost(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    for _, delete in system.receive(system.settings.fetch_queue):
        delete()
    system.rows("update dropload.job set created_at = now() - interval '1 hour'")
    system.container.sweep.run()
    assert settled(system, id)["state"] == "COMPLETED"


def test_a_split_that_is_asked_for_too_early_does_not_fail_the_job(
    make: Callable[..., System], server: WebServer
) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1))
    id = start(system, f"{server.origin}/file.csv")
    system.container.split.resume(id, forever)
    assert view(system, id)["state"] == "PENDING"
    assert settled(system, id)["state"] == "COMPLETED"


def test_validate_only_loads_nothing(make: Callable[..., System], server: WebServer) -> None:
    system = make()
    server.answers["/file.csv"] = lambda handler: handler.send(members(1) + member(2, account_id="x").encode())
    job = settled(system, start(system, f"{server.origin}/file.csv", validate_only=True))
    assert (job["state"], job["validate_only"]) == ("COMPLETED_WITH_FAILURES", True)
    assert system.rows("select id from public.members") == []
