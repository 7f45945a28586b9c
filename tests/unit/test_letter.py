"""The email about a job: causes first, where to look, and nothing of what the file says."""

from typing import Any

from chalicelib.core.letter import compose

JOB: dict[str, Any] = {
    "id": "0193d2a4-0000-7000-8000-000000000001",
    "dataset": "members",
    "state": "COMPLETED_WITH_FAILURES",
    "reason": None,
    "object": {"bucket": "b", "key": "input/members/new members.csv"},
    "found": {"container": None, "format": "csv", "encoding": "utf-8", "delimiter": None},
    "counts": {"read": 12000, "inserted": 2188, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 9812},
    "causes": [
        {"code": "type-error", "column": "account_id", "count": 9800, "example_line": 7},
        {"code": "row-error", "column": None, "count": 12, "example_line": 3},
    ],
}
URL = "https://status.example.com"


def test_letter_says_how_many_and_why_before_anything_else() -> None:
    letter = compose(JOB, {("type-error", "account_id"): [7, 8, 9]}, URL)
    assert letter.subject == "[dropload] members: 9,812 of 12,000 records rejected in new members.csv"
    first, second, third = [line for line in letter.text.splitlines() if line][:3]
    assert first == "9,812 records rejected, 2 causes."
    assert "9,800 x type-error in account_id: line 7, 8, 9, ..." in second
    assert "12 x row-error in (whole record): line 3" in third


def test_letter_leads_to_the_file_the_rejected_records_and_the_status() -> None:
    text = compose(JOB, {}, URL).text
    assert "s3://b/input/members/new members.csv" in text
    assert f"s3://b/error/members/job={JOB['id']}/rejected.csv" in text
    assert f"{URL}/v1/jobs/{JOB['id']}" in text


def test_letter_of_a_failed_job_gives_its_reason() -> None:
    reason = {"code": "empty-file", "message": "the file is empty", "class": "file"}
    nothing = dict.fromkeys(JOB["counts"], 0)
    letter = compose({**JOB, "state": "FAILED", "reason": reason, "counts": nothing, "causes": []}, {}, URL)
    assert letter.subject == "[dropload] members: new members.csv failed"
    assert letter.text.startswith("new members.csv could not be loaded: the file is empty (empty-file).")
    assert "rejected.csv" not in letter.text


def test_object_name_cannot_smuggle_in_a_header() -> None:
    stored = {"bucket": "b", "key": "input/members/a\r\nBcc: everyone@example.com\x00.csv"}
    letter = compose({**JOB, "object": stored}, {}, URL)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert "\nBcc:" not in letter.text


def test_long_names_and_many_causes_are_cut_short() -> None:
    causes = [{"code": "type-error", "column": f"c{n}", "count": 1, "example_line": n} for n in range(50)]
    stored = {"bucket": "b", "key": "input/members/" + "x" * 1000}
    letter = compose({**JOB, "object": stored, "causes": causes}, {}, URL)
    assert len(letter.subject) <= 200
    assert "... and 30 more causes" in letter.text


def test_letter_names_the_error_file_of_the_jobs_own_format() -> None:
    for found, name in [(("gzip", "jsonl"), "rejected.jsonl"), (("xlsx", "jsonl"), "rejected.csv")]:
        job = {**JOB, "found": {**JOB["found"], "container": found[0], "format": found[1]}}
        assert f"/{name}\n" in compose(job, {}, URL).text
