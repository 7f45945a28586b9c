"""Why is my file not loaded? Every key has an answer, and what to do; nobody learns of what is not theirs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.aws import client
from chalicelib.core.access import EVERYONE, Caller, Scope
from chalicelib.core.explaining import CODES
from chalicelib.core.window import parse_window
from chalicelib.errors import RequestRefused
from chalicelib.services.ports import Reason
from tests.system import MEMBERS, System, member, members

KEY = "input/members/file.csv"
BAD = (MEMBERS + member(1) + member(2, account_id="x")).encode()


def ask(system: System, key: str = KEY) -> dict[str, Any]:
    found = system.container.whereabouts.get(EVERYONE, key)
    assert found["code"] in CODES
    assert found["explanation"].endswith((".", "?"))
    return found


def code(system: System, key: str = KEY) -> str:
    return str(ask(system, key)["code"])


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("members/file.csv", "not-under-input"),
        ("Input/members/file.csv", "not-under-input"),
        ("error/members/job=1/rejected.csv", "not-under-input"),
        ("input/file.csv", "no-dataset-folder"),
        ("input/", "no-dataset-folder"),
        ("input/members/", "folder"),
        ("input/members/" + "\u00e9" * 1000, "no-object"),
        ("input/members/nosuch.csv", "no-object"),
        ("input/membres/nosuch.csv", "no-object"),
    ],
)
def test_key_without_a_file_is_told_what_is_wrong_with_it(system: System, key: str, said: str) -> None:
    found = ask(system, key)
    assert (found["code"], found["object"], found["job"], found["jobs"]) == (said, None, None, [])
    assert found["advice"]


def test_unknown_folder_names_those_that_there_are(system: System) -> None:
    assert "members, plays, products" in ask(system, "input/membres/nosuch.csv")["explanation"]


def test_file_is_followed_from_its_drop_to_its_end(system: System) -> None:
    system.drop(KEY, members(*range(1, 50)))
    assert code(system) == "waiting-for-event"
    while not system.deliver(system.settings.intake_queue):
        pass
    loading = ask(system)
    assert (loading["code"], loading["job"]["state"]) == ("loading", "RUNNING")
    system.pump()
    done = ask(system)
    assert (done["code"], done["advice"]) == ("loaded", "")
    assert "of 49 records, 49 inserted" in done["explanation"]
    assert done["object"] == done["job"]["object"]
    assert done["superseded"] == []


def test_file_that_nobody_has_begun_waits(system: System) -> None:
    system.drop(KEY, members(1))
    [stored] = system.announced()
    system.container.split.open(stored, validate_only=False)
    assert code(system) == "waiting"


def test_what_became_of_files_is_told_with_what_to_do(system: System) -> None:
    system.load(BAD)
    assert code(system) == "loaded-with-failures"
    system.load(b"", key="input/members/empty.csv")
    failed = ask(system, "input/members/empty.csv")
    assert failed["code"] == "failed"
    assert "(empty-file)" in failed["explanation"]
    assert failed["advice"] == "Mend the file, and drop it again."
    system.load(members(5), key="input/members/try.csv", metadata={"dropload-validate-only": "true"})
    assert code(system, "input/members/try.csv") == "validated"
    system.load(members(7), key="input/nosuch/file.csv")
    assert "(unknown-dataset)" in ask(system, "input/nosuch/file.csv")["explanation"]


def test_same_bytes_again_name_the_job_that_has_them(system: System) -> None:
    first = system.load(members(1))
    system.load(members(1))
    found = ask(system)
    assert found["code"] == "duplicate"
    assert first["id"] in found["explanation"]
    assert found["superseded"] == [first["id"]]


def test_new_bytes_supersede_the_old_ones(system: System) -> None:
    first = system.load(members(1))
    system.drop(KEY, members(2))
    waiting = ask(system)
    assert (waiting["code"], waiting["job"]) == ("waiting-for-event", None)
    assert "1 job of earlier versions" in waiting["explanation"]
    system.pump()
    while code(system) != "loaded":
        system.pump()
    found = ask(system)
    assert found["superseded"] == [first["id"]]
    assert len(found["jobs"]) == 2


def test_file_that_is_gone_is_told_of_by_its_last_job(system: System) -> None:
    system.load(members(1))
    client("s3").delete_object(Bucket=system.settings.bucket, Key=KEY)
    found = ask(system)
    assert (found["code"], found["object"]) == ("loaded", None)
    assert found["explanation"].endswith("The object itself is gone since.")


def test_file_that_waits_for_its_window_says_until_when(system: System) -> None:
    datasets = system.container.datasets
    soon = datetime.now(UTC) + timedelta(hours=2)
    window = parse_window(f"{soon:%H}:00-{soon + timedelta(hours=1):%H}:00 UTC")
    datasets["members"] = replace(datasets["members"], load_window=window)
    system.load(members(1))
    found = ask(system)
    assert found["code"] == "waiting-for-window"
    assert found["job"]["starts_at"] in found["explanation"]
    assert f"/v1/jobs/{found['job']['id']}/start" in found["advice"]


def test_failure_that_is_ours_is_not_the_files(system: System) -> None:
    system.drop(KEY, members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    job = system.container.ledger.job(UUID(system.job(KEY)["id"]))
    assert job is not None
    system.container.ledger.end_split(job, Reason("exhausted", "we could not load this", "terminal"))
    system.pump()
    found = ask(system)
    assert found["code"] == "failed"
    assert "no fault of the file" in found["explanation"]
    assert "/redrive" in found["advice"]
    system.rows("update dropload.job set retry_at = now() + interval '1 hour'")
    assert code(system) == "waiting-for-retry"


def test_job_that_was_called_off_says_so(system: System) -> None:
    system.drop(KEY, members(1))
    while not system.deliver(system.settings.intake_queue):
        pass
    system.container.cancel.run(UUID(system.job(KEY)["id"]))
    assert code(system) in ("cancelling", "cancelled")
    system.pump()
    assert code(system) == "cancelled"


def test_nobody_learns_of_a_file_that_is_not_theirs(system: System) -> None:
    stranger = Caller("1", "stranger", frozenset({Scope.READ}), frozenset({"plays"}))
    system.load(members(1))
    answers = []
    for key in (KEY, "input/members/nosuch.csv", "input/nosuch/file.csv"):
        with pytest.raises(RequestRefused) as refused:
            system.container.whereabouts.get(stranger, key)
        answers.append((refused.value.status, refused.value.code, refused.value.message))
    assert len(set(answers)) == 1
    assert answers[0][0] == 404
    assert "members" not in system.container.whereabouts.get(stranger, "other/file.csv")["advice"]
    assert system.container.whereabouts.get(stranger, "input/plays/file.csv")["code"] == "no-object"


def test_every_key_has_an_answer(system: System) -> None:
    parts = st.sampled_from(
        ["input", "members", "nosuch", "error", "..", ".", "", "%2F", "\u202e", "a b", "?", "#", "+"]
    )
    keys = st.lists(parts | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(keys.map("/".join).filter(lambda key: 0 < len(key) <= 1024))
    def check(key: str) -> None:
        found = ask(system, key)
        assert found["code"] in ("not-under-input", "no-dataset-folder", "folder", "no-object")

    check()
