import pytest

from infra.local.progress import meter


def test_a_packed_file_is_shown_without_a_total_until_it_is_unpacked(capsys: pytest.CaptureFixture[str]) -> None:
    job = {"state": "COMPLETED", "counts": {"read": 5, "rejected": 0}}
    with meter() as shown:
        shown.job({**job, "progress": {"bytes_done": 2_000, "bytes_total": None}})
        shown.job({**job, "progress": {"bytes_done": 2_000, "bytes_total": 2_000}})
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("COMPLETED: 2.0 kB, 5 records, 0 rejected")
    assert second.endswith("COMPLETED: 2.0 kB of 2.0 kB, 5 records, 0 rejected")
