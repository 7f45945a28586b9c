"""validate_only tells exactly what a load would do, and does nothing."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.adapters.aws import client
from chalicelib.core.metadata import VALIDATE_ONLY
from tests.policies import ITEMS, TAGGED, TALLIES, lines, with_policies
from tests.system import MEMBERS, System, load_at_once, member, members

KEY = "input/members/file.csv"
ASKED = {VALIDATE_ONLY: "true"}
REFUSED_SIZE = 13  # by CHECKs that the descriptor does not know
HEADER = "code,tag,size"

numbers = itertools.count()
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
sizes = st.sampled_from([1, 2, None, 1, 2, "x", REFUSED_SIZE])
tagged = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["a", "b", "c", "d", None]), sizes), max_size=12)
tallies = st.lists(
    st.tuples(st.sampled_from(["x", "y", ""]), st.sampled_from(["2026-01-01", "2026-01-02"]), sizes, st.just("0.10")),
    max_size=12,
)
batch_sizes = st.sampled_from([20, 10_000])

Rows = list[tuple[object, ...]]


def by(policy: str, **more: Any) -> dict[str, Any]:
    return {**TAGGED, "name": f"tagged_{policy}", "dropload": {"on_conflict": policy, **more}}


DESCRIPTORS = (
    by("reject"),
    by("ignore"),
    by("update"),
    {**by("reject", atomic=True), "name": "tagged_atomic"},
    TALLIES,
)


@pytest.fixture
def systems(system: System) -> dict[int, System]:
    """The same system, with batches of each size."""
    systems = {size: with_policies(system, DESCRIPTORS, batch_bytes=size) for size in (20, 10_000)}
    for descriptor in DESCRIPTORS[:-1]:
        system.rows(f"alter table {descriptor['name']} add constraint no_thirteen check (size <> {REFUSED_SIZE})")
    system.rows(f"alter table tallies add constraint no_thirteen check (sold <> {REFUSED_SIZE})")
    return systems


def in_order(system: System, key: str, data: bytes, metadata: dict[str, str]) -> dict[str, Any]:
    """Load or validate a file, batch after batch."""
    for body in system.split(key, data, metadata):
        system.container.intake.load(body)
    return system.job(key)


def told(system: System, job: dict[str, Any]) -> object:
    """All that a job says of its file, but for the words about who has a key."""
    rejections = [
        (rejection["line"], rejection["record"], {(error["column"], error["code"]) for error in rejection["errors"]})
        for rejection in system.rejections(job)
    ]
    causes = {(cause["code"], cause["column"]): (cause["count"], cause["example_line"]) for cause in job["causes"]}
    return job["state"], (job["reason"] or {}).get("code"), job["counts"], rejections, causes


def check(system: System, dataset: str, header: str, files: list[Rows]) -> None:
    """Validate and then load each file."""
    for file in files:
        key = f"input/{dataset}/{next(numbers)}.csv"
        data = lines(header, file)
        before = system.rows(f"select *, xmin::text from {dataset} order by id")
        validated = in_order(system, key, data, ASKED)
        assert system.rows(f"select *, xmin::text from {dataset} order by id") == before
        assert system.rows("select count(*) from dropload.seen") == [(0,)]
        told_before = told(system, validated)
        loaded = in_order(system, key, data, {})
        assert (validated["validate_only"], loaded["validate_only"]) == (True, False)
        assert (validated["balanced"], loaded["balanced"]) == (True, True)
        assert told_before == told(system, loaded)


@few
@given(
    policy=st.sampled_from(["reject", "ignore", "update", "atomic"]),
    files=st.lists(tagged, min_size=1, max_size=2),
    size=batch_sizes,
)
def test_it_counts_what_a_load_then_counts(
    systems: dict[int, System], policy: str, files: list[Rows], size: int
) -> None:
    systems[size].rows(f"truncate tagged_{policy}")
    check(systems[size], f"tagged_{policy}", HEADER, files)


@few
@given(files=st.lists(tallies, min_size=1, max_size=2), size=batch_sizes)
def test_it_counts_sums_as_a_load_then_does(systems: dict[int, System], files: list[Rows], size: int) -> None:
    systems[size].rows("truncate tallies")
    check(systems[size], "tallies", "item,day,sold,paid", files)


def mixed() -> bytes:
    """Records that are good, wrong, twice in the file, and in the table already (member 1)."""
    return (MEMBERS + "".join([member(1), *map(member, range(2, 40)), member(50, account_id="x"), member(2)])).encode()


@pytest.mark.parametrize("times", [1, 3])
def test_validation_says_all_and_loads_nothing(system: System, times: int) -> None:
    small = with_policies(system, (), batch_bytes=150)
    small.load(members(1), key="input/members/before.csv")
    before = small.rows("select * from members")
    small.drop(KEY, mixed(), ASKED)
    small.pump(times)
    job = small.job(KEY)
    assert (job["state"], job["validate_only"], job["balanced"]) == ("COMPLETED_WITH_FAILURES", True, True)
    assert job["counts"] == {"read": 41, "inserted": 38, "updated": 0, "unchanged": 0, "ignored": 0, "rejected": 3}
    assert [(r["line"], r["record"]) for r in small.rejections(job)] == [(2, 1), (41, 40), (42, 41)]
    in_table, _, in_file = (rejection["errors"][-1]["message"] for rejection in small.rejections(job))
    assert in_table == f"the same client_member_id as a row that is in the table already, with id {before[0][0]}"
    assert in_file == "the same client_member_id as an earlier record of this file"
    assert [line.split(b",")[0] for line in small.rejected_csv(job).splitlines()[1:]] == [b"2", b"41", b"42"]
    assert small.rows("select * from members") == before
    assert small.rows("select audience, sent_at is not null from dropload.outbox") == [("owners", True)]


def test_first_errors_show_before_the_file_is_read_to_its_end(system: System) -> None:
    small = with_policies(system, (), batch_bytes=150)
    bodies = small.split(KEY, mixed(), ASKED)
    small.container.intake.load(bodies[-1])
    job = small.job(KEY)
    assert (job["state"], job["counts"]["rejected"]) == ("RUNNING", 1)
    assert [rejection["line"] for rejection in small.rejections(job)] == [41]
    assert [cause["code"] for cause in job["causes"]] == ["type-error"]


def test_a_validated_file_is_loaded_when_it_is_dropped_again_and_validated_once_more(system: System) -> None:
    first = system.load(members(1, 2), metadata=ASKED)
    loaded = system.load(members(1, 2))
    again = system.load(members(1, 2), metadata=ASKED)
    twice = system.load(members(1, 2))
    assert [job["state"] for job in (first, loaded, again, twice)] == [
        "COMPLETED", "COMPLETED", "COMPLETED_WITH_FAILURES", "DUPLICATE"
    ]  # fmt: skip
    assert twice["duplicate_of"] == loaded["id"]
    assert again["counts"]["rejected"] == 2
    assert system.rows("select count(*) from members") == [(2,)]


def test_without_versions_a_validated_file_is_loaded_all_the_same(system: System) -> None:
    plain = System.create(system.database_url, versioned=False)
    assert plain.load(members(1, 2), metadata=ASKED)["validate_only"] is True
    assert plain.load(members(1, 2))["state"] == "COMPLETED"
    assert plain.rows("select count(*) from members") == [(2,)]


def test_a_wish_that_is_not_understood_loads_nothing_and_says_so(system: System) -> None:
    job = system.load(members(1), metadata={VALIDATE_ONLY: "yes please"})
    assert (job["state"], job["reason"]["code"], job["reason"]["class"]) == ("FAILED", "bad-metadata", "file")
    assert "x-amz-meta-dropload-validate-only must be true or false" in job["reason"]["message"]
    assert system.rows("select count(*) from members") == [(0,)]


def test_announced_again_after_it_was_deleted_a_job_stays_what_it_is(system: System) -> None:
    system.drop(KEY, members(1), ASKED)
    [stored] = system.announced()
    system.container.split.announced(stored, lambda: 900.0)
    client("s3").delete_object(Bucket=stored.bucket, Key=stored.key, VersionId=stored.version_id)
    system.container.split.announced(stored, lambda: 900.0)
    job = system.job(KEY)
    assert (job["state"], job["validate_only"]) == ("RUNNING", True)


def test_limits_stop_a_validation_too(system: System) -> None:
    descriptor = by("reject", max_errors=4)
    small = with_policies(system, [descriptor], batch_bytes=30)
    bad = [(n, f"t{n}", "x") for n in range(50)]
    twice = [(n % 5, None, n) for n in range(50)]
    for file in (bad, twice):
        job = small.load(lines(HEADER, file), key=f"input/tagged_reject/{next(numbers)}.csv", metadata=ASKED)
        assert (job["state"], job["reason"]["code"], job["balanced"]) == ("FAILED", "too-many-errors", True)
        assert 4 < job["counts"]["rejected"] < 20
    assert small.rows("select count(*) from tagged_reject") == [(0,)]


def test_jobs_beside_a_validation_load_as_if_it_was_not_there(system: System) -> None:
    small = with_policies(system, [ITEMS], batch_bytes=30)
    header, key = "code,label,size", "input/items/{}.csv"
    up, down = [(n, "up", n) for n in range(60)], [(n, "down", n) for n in range(59, -1, -1)]
    orders = [
        small.split(key.format("validated"), lines(header, up), ASKED),
        small.split(key.format("loaded"), lines(header, down)),
    ]
    errors = load_at_once(lambda: with_policies(small, [ITEMS]), orders)
    assert errors == []
    loaded, validated = small.container.views.jobs(dataset="items", limit=2)
    assert (loaded["state"], loaded["counts"]["inserted"]) == ("COMPLETED", 60)
    assert (validated["state"], validated["counts"]["read"], validated["balanced"]) == ("COMPLETED", 60, True)
    assert small.rows("select code, label, size from items order by 1 desc") == down
