"""What an operator does with the page: drop files, watch, look into a job, mend, do again, call off."""

import json
import re
import secrets
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from chalicelib.services.redrive import What
from tests.acceptance.doors import Doors, eventually
from tests.page.conftest import Visit
from tests.page.visitor import file
from tests.system import MEMBERS, member

pytestmark = pytest.mark.stack


def fresh(count: int = 1) -> int:
    """Numbers of members that no other test has used: the first of so many."""
    return secrets.randbelow(10**9 - count) + 10**9


def named(what: str) -> str:
    return f"{what}-{secrets.token_hex(4)}.csv"


def rows_of(stack: Mapping[str, Any], *numbers: int) -> int:
    with closing(psycopg2.connect(stack["database_url"])) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from members where client_member_id = any(%s)", [list(numbers)])
        (count,) = cursor.fetchone() or (0,)
        return int(count)


def test_files_are_uploaded_and_become_jobs(visit: Visit, stack: Mapping[str, Any]) -> None:
    first, good, bad = fresh(2), named("good"), named("bad")
    visitor = visit("#/jobs")
    visitor.upload(file(good, MEMBERS + member(first) + member(first + 1)), file(bad, "nonsense\n1\n"))
    uploads = visitor.page.get_by_role("list", name="Uploads")
    uploads.get_by_role("listitem").filter(has_text=good).get_by_text("Loaded", exact=True).wait_for()
    uploads.get_by_role("listitem").filter(has_text=bad).get_by_text("Failed", exact=True).wait_for()
    listed = visitor.page.locator("ol.jobs")
    listed.locator("li", has_text=good).get_by_text("2 loaded").wait_for()
    listed.locator("li", has_text=bad).get_by_text("names none of the columns").wait_for()
    assert rows_of(stack, first, first + 1) == 2


def test_files_can_be_dropped_anywhere(visit: Visit, stack: Mapping[str, Any]) -> None:
    number, name = fresh(), named("dropped")
    visitor = visit("#/jobs")
    visitor.page.locator("#into option[value=members]").wait_for(state="attached")
    visitor.page.get_by_label("Into dataset").select_option("members")
    carried = visitor.page.evaluate_handle(
        "([name, text]) => { const all = new DataTransfer(); all.items.add(new File([text], name)); return all; }",
        [name, MEMBERS + member(number)],
    )
    for event in ("dragenter", "dragover", "drop"):
        visitor.page.dispatch_event("h1", event, {"dataTransfer": carried})
    visitor.page.locator(".upload", has_text=name).get_by_text("Loaded", exact=True).wait_for()
    assert rows_of(stack, number) == 1


def test_a_file_that_is_only_validated_loads_nothing(visit: Visit, stack: Mapping[str, Any]) -> None:
    number, name = fresh(), named("only")
    visitor = visit("#/jobs")
    visitor.upload(file(name, MEMBERS + member(number)), validate_only=True)
    visitor.page.locator(".upload", has_text=name).get_by_role("link").click()
    visitor.wait_for_state("Checked")
    visitor.page.get_by_text("It was only validated: nothing of it is in the table.").wait_for()
    assert rows_of(stack, number) == 0


def test_the_same_file_again_leads_to_the_earlier_job(visit: Visit) -> None:
    name, data = named("again"), MEMBERS + member(fresh())
    visitor = visit("#/jobs")
    visitor.upload(file(name, data))
    visitor.page.locator(".upload", has_text=name).get_by_text("Loaded", exact=True).wait_for()
    visitor.upload(file(name, data))
    visitor.page.locator(".upload", has_text="here already").get_by_role("link", name="its job").click()
    visitor.wait_for_state("Loaded")


def test_a_job_tells_what_was_wrong_without_what_is_sensitive(visit: Visit, doors: Doors) -> None:
    first = fresh(4)
    data = (
        MEMBERS
        + member(first, first_name="Xenophania", account_id="seven")
        + member(first + 1, last_name="Quisquilloso", client_member_id="x1")
        + f"Xenophania,Quisquilloso,{first}\n"
        + member(first + 2)
    )
    job = doors.ended(doors.drop(named("wrong"), data.encode()))
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.wait_for_state("Loaded in part")
    page = visitor.page
    assert page.locator(".books dd").all_inner_texts() == ["4", "1", "3"]
    page.get_by_text("The books balance").wait_for()
    causes = page.get_by_role("region", name="Causes").get_by_role("row").all_inner_texts()
    assert any(re.search(r"account_id\s+type-error\s+1\s+33%\s+2", row) for row in causes)
    records = page.locator(".record")
    records.nth(2).wait_for()
    assert records.count() == 3
    assert "seven" in records.nth(0).inner_text()
    assert "line 2" in records.nth(0).inner_text()
    assert "Not shown here" in records.nth(2).inner_text()
    everything = page.content()
    for secret in ("Xenophania", "Quisquilloso", f"{first:010d}"):
        assert secret not in everything


def test_rejected_records_are_shown_a_page_at_a_time_to_the_last(visit: Visit, doors: Doors) -> None:
    first = fresh(25)
    file = MEMBERS + "".join(member(first + n, account_id="x") for n in range(25))
    job = doors.ended(doors.drop(named("many"), file.encode()))
    page = visit(f"#/jobs/{job['id']}").page
    lines = page.locator(".record .line")
    more = page.get_by_role("button", name="Show more")
    more.wait_for()
    assert lines.count() == 20
    more.click()
    lines.nth(24).wait_for()
    assert lines.all_inner_texts() == [f"line {n}" for n in range(2, 27)]
    more.wait_for(state="hidden")


def test_rejected_file_and_receipt_are_downloaded(visit: Visit, doors: Doors) -> None:
    job = doors.ended(doors.drop(named("back"), (MEMBERS + member(fresh(), account_id="x")).encode()))
    visitor = visit(f"#/jobs/{job['id']}")
    with visitor.page.expect_download() as download:
        visitor.button("Download rejected file").click()
    key = f"error/members/job={job['id']}/rejected.csv"
    theirs = doors.s3.get_object(Bucket=doors.bucket, Key=key)["Body"].read()
    assert download.value.path().read_bytes() == theirs
    assert download.value.suggested_filename.endswith(".csv")
    with visitor.page.expect_download() as receipt:
        visitor.button("Receipt").click()
    assert json.loads(receipt.value.path().read_text())["id"] == job["id"]


def test_a_job_is_watched_while_it_loads(visit: Visit, doors: Doors, held_table: Any) -> None:
    name = named("watched")
    dropped = doors.drop(name, (MEMBERS + member(fresh())).encode())
    job = doors.job_that(dropped, lambda job: sum(job["progress"]["batches"].values()) > 0)
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.wait_for_state("Loading")
    visitor.page.evaluate("window.stayed = true")
    progress = visitor.page.get_by_role("progressbar", name=f"Progress of {name}")
    assert float(progress.get_attribute("value") or 1) < float(progress.get_attribute("max") or 0)
    assert visitor.page.get_by_text("measuring").is_visible()
    cell = visitor.page.locator(".cells i")
    assert cell.get_attribute("class") in ("pending here", "running here")
    held_table.rollback()
    visitor.wait_for_state("Loaded")
    assert progress.count() == 0
    assert visitor.page.locator(".books dd").all_inner_texts() == ["1", "1", "0"]
    visitor.page.locator(".cells i.succeeded").wait_for()
    assert "Batch 1: loaded" in visitor.page.locator(".map output").inner_text()
    assert visitor.page.evaluate("window.stayed")  # nothing was loaded anew


def test_a_job_is_cancelled_after_a_question(visit: Visit, doors: Doors, held_table: Any) -> None:
    dropped = doors.drop(named("called-off"), (MEMBERS + member(fresh())).encode())
    job = doors.job_that(dropped, lambda job: job["state"] == "RUNNING")
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.button("Cancel").click()
    visitor.button("Let it go on", within="dialog").click()
    assert doors.get(f"/v1/jobs/{job['id']}").body["state"] == "RUNNING"
    visitor.button("Cancel").click()
    visitor.button("Cancel the job", within="dialog").click()
    visitor.page.locator(".head .state", has_text=re.compile("Cancelling|Cancelled")).wait_for()
    held_table.rollback()
    visitor.wait_for_state("Cancelled")
    assert visitor.button("Cancel").count() == 0


def test_rejected_records_are_redriven_as_a_child(visit: Visit, doors: Doors) -> None:
    job = doors.ended(doors.drop(named("redriven"), (MEMBERS + member(fresh(), account_id="x")).encode()))
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.button("Redrive").click()
    assert visitor.page.get_by_role("radio").count() == 1
    assert visitor.page.get_by_role("radio").get_attribute("value") == What.REJECTED
    visitor.button("Redrive", within="dialog").click()
    visitor.page.get_by_role("link", name="its parent job").click()
    visitor.page.wait_for_url(f"**/#/jobs/{job['id']}")
    visitor.page.get_by_text("Corrected by").wait_for()
    visitor.page.get_by_role("link", name="job 1").click()
    child = visitor.page.url.rpartition("/")[2]
    assert doors.ended_job(child)["parent"] == job["id"]


def test_a_job_is_undone_as_its_plan_says(visit: Visit, doors: Doors, stack: Mapping[str, Any]) -> None:
    first = fresh(2)
    job = doors.ended(doors.drop(named("undone"), (MEMBERS + member(first) + member(first + 1)).encode()))
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.button("Undo").click()
    visitor.page.get_by_text("2 rows that it made will be deleted.").wait_for()
    assert rows_of(stack, first, first + 1) == 2
    visitor.button("Undo it", within="dialog").click()
    visitor.page.get_by_text("It was undone: 2 rows deleted.").wait_for()
    assert rows_of(stack, first, first + 1) == 0
    assert visitor.button("Undo").count() == 0


def test_a_refusal_is_told_in_the_dialog(visit: Visit, doors: Doors) -> None:
    job = doors.ended(doors.drop(named("twice"), (MEMBERS + member(fresh(), account_id="x")).encode()))
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.button("Redrive").click()
    child = doors.post(f"/v1/jobs/{job['id']}/redrive", {"what": "rejected"}).body["id"]
    doors.ended_job(child)
    problem = doors.post(f"/v1/jobs/{child}/redrive", {"what": "failed"})
    assert problem.status == 409
    visitor.page.get_by_role("radio").evaluate("radio => { radio.value = 'failed' }")
    visitor.button("Redrive", within="dialog").click()
    said = visitor.page.locator("dialog").get_by_role("alert")
    eventually(lambda: said.inner_text() or None, "a reason")
    assert said.inner_text() == doors.post(f"/v1/jobs/{job['id']}/redrive", {"what": "failed"}).body["detail"]


def test_jobs_are_filtered_and_paged(visit: Visit, doors: Doors) -> None:
    name = named("filtered")
    for number in range(26):
        doors.drop(f"{name}-{number}", b"nonsense\n")
    last = doors.drop(name, (MEMBERS + member(fresh())).encode())
    doors.ended(last)
    visitor = visit("#/jobs")
    rows = visitor.page.locator("ol.jobs li")
    visitor.page.get_by_label("State").select_option("COMPLETED")
    visitor.page.wait_for_url("**/#/jobs?state=COMPLETED")
    rows.filter(has_text=name).first.wait_for()
    assert rows.filter(has_text="Failed").count() == 0
    visitor.page.get_by_label("Key, in full").fill(last.key)
    visitor.page.get_by_label("Key, in full").press("Enter")
    visitor.until(lambda: rows.count() == 1, "one job")
    visitor.go("#/jobs?state=FAILED&dataset=members")
    rows.nth(24).wait_for()
    before = rows.first.inner_text()
    visitor.page.get_by_role("link", name="Older").click()
    visitor.page.get_by_role("link", name="Newest").wait_for()
    assert rows.first.inner_text() != before


def test_a_file_name_is_text_and_nothing_else(visit: Visit, doors: Doors) -> None:
    name = f"<img src=x onerror=alert(1)>{secrets.token_hex(3)}.csv"
    job = doors.ended(doors.drop(name, b"<b>no</b>\n1\n"))
    visitor = visit(f"#/jobs/{job['id']}")
    assert visitor.page.locator("h1").inner_text() == name
    assert visitor.page.locator("main img, main b").count() == 0
