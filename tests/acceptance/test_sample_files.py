"""Real sample files: loaded once, known when they come again."""

from pathlib import Path

import pytest

from tests.acceptance.doors import Doors, Json

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not DATA.is_dir(), reason="the sample files are not beside the repository"),
]


@pytest.fixture(scope="module")
def first(doors: Doors) -> Json:
    """The job of the first time that the sample comes."""
    return doors.ended(doors.drop("member_data.csv", sample("member_data.csv")))


def sample(name: str) -> bytes:
    return (DATA / name).read_bytes()


def sample_keys() -> list[int]:
    """The client_member_id of each record of the sample, in file order."""
    return [int(line.split(b",")[3]) for line in sample("member_data.csv").splitlines()[1:]]


def counts(job: Json) -> tuple[int, int, int]:
    return job["counts"]["read"], job["counts"]["inserted"], job["counts"]["rejected"]


def test_sample_loads_whole(doors: Doors, first: Json) -> None:
    assert (first["state"], first["balanced"], counts(first)) == ("COMPLETED", True, (1000, 1000, 0))
    rows = doors.members(sample_keys())
    assert [",".join(map(str, row)) for row in rows] == sample("member_data.csv").decode().splitlines()[1:]


def test_same_bytes_under_the_same_name_are_a_duplicate(doors: Doors, first: Json) -> None:
    again = doors.ended(doors.drop("member_data.csv", sample("member_data.csv")))
    assert (again["state"], again["duplicate_of"]) == ("DUPLICATE", first["id"])
    assert counts(again) == (0, 0, 0)


def test_same_records_under_another_name_are_rejected_each_naming_what_it_collides_with(
    doors: Doors, first: Json
) -> None:
    again = doors.ended(doors.drop("member_data_again.csv", sample("member_data.csv")))
    assert (again["state"], again["balanced"], counts(again)) == ("COMPLETED_WITH_FAILURES", True, (1000, 0, 1000))
    rejections = doors.rejections(again)
    assert [(item["record"], item["line"]) for item in rejections] == [(n, n + 1) for n in range(1, 1001)]
    assert {error["code"] for item in rejections for error in item["errors"]} == {"unique-error"}
    named = [int(item["errors"][0]["message"].rsplit("id ", 1)[1]) for item in rejections]
    assert named == doors.ids_of_members(sample_keys())


def test_column_that_the_dataset_does_not_declare_is_left_out(doors: Doors, first: Json) -> None:
    job = doors.ended(doors.drop("member_data_with_id.csv", sample("member_data_with_id.csv")))
    assert (job["state"], job["balanced"], counts(job)) == ("COMPLETED_WITH_FAILURES", True, (1001, 1, 1000))
    assert doors.members([5156125]) == [("Jessey", "Rickett", "2434267701", 5156125, 13)]
    header = doors.read(job, "rejected.csv").splitlines()[0].decode()
    assert header.endswith(",id,first_name,last_name,phone_number,client_member_id,account_id")
