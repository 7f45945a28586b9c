"""The email about a job: causes first, where to look, and nothing of what the file says."""

from typing import Any

from chalicelib.core.letter import compose

JOB: dict[str, Any] = {
    "id": "0193d2a4-0000-7000-8000-000000000001",
    "dataset": "members",
    "state": "COMPLETED_WITH_FAILURES",
    "reason": None,
    "validate_only": False,
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
    assert f"{URL}/#/jobs/{JOB['id']}" in text


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


def test_letter_about_a_validation_says_that_nothing_was_loaded() -> None:
    letter = compose({**JOB, "validate_only": True}, {}, URL)
    assert letter.subject == (
        "[dropload] members: validation of new members.csv: 9,812 of 12,000 records would be rejected"
    )
    assert letter.text.startswith("9,812 of 12,000 records would be rejected.\n\nThis was a validation only: nothing")


def test_letter_about_a_job_that_was_stopped_halfway_does_not_say_that_nothing_was_loaded() -> None:
    reason = {"code": "too-many-errors", "message": "9,812 of 12,000 records were rejected", "class": "file"}
    letter = compose({**JOB, "state": "FAILED", "reason": reason}, {}, URL)
    assert letter.text.startswith("new members.csv could not be loaded whole: 9,812 of 12,000 records were rejected")
    assert "rejected.csv" in letter.text


def test_letter_says_to_drop_rejected_records_alone_only_where_the_others_were_loaded() -> None:
    reason = {"code": "atomic", "message": "1 of 3 records were rejected", "class": "file"}
    nothing = {"read": 3, "inserted": 0, "updated": 0, "unchanged": 0, "ignored": 2, "rejected": 1}
    alone, whole = "mend it and drop the file into the input folder", "mend it in the file itself, and drop that"
    assert alone in compose(JOB, {}, URL).text
    for job in (
        {**JOB, "state": "FAILED", "reason": reason, "counts": nothing},
        {**JOB, "validate_only": True},
    ):
        text = compose(job, {}, URL).text
        assert alone not in text
        assert whole in text
    halfway = compose({**JOB, "state": "FAILED", "reason": reason}, {}, URL).text
    assert alone not in halfway
    assert whole not in halfway


def test_letter_names_the_error_file_of_the_jobs_own_format() -> None:
    for found, name in [(("gzip", "jsonl"), "rejected.jsonl"), (("xlsx", "jsonl"), "rejected.csv")]:
        job = {**JOB, "found": {**JOB["found"], "container": found[0], "format": found[1]}}
        assert f"/{name}\n" in compose(job, {}, URL).text
