"""What letters are about, read from the ledger when they are sent."""

from datetime import date, datetime
from typing import Any

from chalicelib.adapters.postgres.database import Cursor
from chalicelib.adapters.postgres.queries import queries
from chalicelib.adapters.postgres.views import COUNTS, job_view
from chalicelib.core import daily, digest
from chalicelib.core.daily import DayReport, OursReport
from chalicelib.core.digest import Cause, Failure, Pile
from chalicelib.core.late import Lateness
from chalicelib.services.post_ports import Content, OneJob

REPORTS = queries("reports")
_LINES = 5  # line numbers named for each cause
_LOOK = 10_000  # rejections looked at to find them


def content(cursor: Cursor, letter: Any) -> Content | None:
    """What a letter (a row of the ledger) is about; None where nothing is left of it."""
    match letter.kind:
        case "jobs":
            return _jobs(cursor, letter)
        case "day" if letter.audience == "engineers":
            return _ours(cursor, date.fromisoformat(letter.about))
        case "day":
            return _day(cursor, letter.dataset, date.fromisoformat(letter.about))
        case _:
            return _late(cursor, letter)


def active(cursor: Cursor, start: datetime, end: datetime) -> list[str]:
    """The datasets of which jobs ended in this time."""
    cursor.execute(REPORTS["active"], {"start": start, "end": end})
    return [row.dataset for row in cursor.fetchall()]


def ours_failed(cursor: Cursor, start: datetime, end: datetime) -> bool:
    """Whether engineers were to be told of a failure in this time."""
    cursor.execute(REPORTS["ours_failed"], {"start": start, "end": end, "files": 1})
    return cursor.fetchone() is not None


def expected_since(cursor: Cursor, dataset: str, expected: str, now: datetime) -> datetime:
    """Since when this has been expected: now, where it was not."""
    values = {"dataset": dataset, "expected": expected, "now": now}
    cursor.execute(REPORTS["expected_since"], values)
    row = cursor.fetchone()
    if row is None or row.expected != expected:
        cursor.execute(REPORTS["expect"], values)
        return now
    since: datetime = row.since
    return since


def came(cursor: Cursor, dataset: str, start: datetime, end: datetime) -> bool:
    """Whether a file of the dataset came in this time."""
    cursor.execute(REPORTS["came"], {"dataset": dataset, "start": start, "end": end})
    return cursor.fetchone() is not None


def _jobs(cursor: Cursor, letter: Any) -> OneJob | Pile | None:
    values = {"letter": letter.number, "files": digest.FILES}
    cursor.execute(REPORTS["pile"], values)
    whole = cursor.fetchone()
    if whole.files == 0:
        return None
    if whole.files == 1:
        return _one_job(cursor, whole)
    cursor.execute(REPORTS["pile_jobs"], values)
    jobs = [row._asdict() for row in cursor.fetchall()]
    return Pile(
        dataset=letter.dataset,
        files=whole.files,
        failed=whole.failed,
        read=whole.read,
        rejected=whole.rejected,
        causes=_causes(cursor, "pile_causes", values),
        failures=_failures(cursor, "pile_failures", values),
        jobs=jobs,
        error_files=f"s3://{whole.bucket}/error/{letter.dataset}/job=.../",
    )


def _one_job(cursor: Cursor, row: Any) -> OneJob:
    view = job_view(cursor, row.id)
    assert view is not None, "the outbox refers to its job"
    cursor.execute(queries("views")["first_lines"], {"number": row.number, "lines": _LINES, "limit": _LOOK})
    return OneJob(view, {(cause.code, cause.column): cause.lines for cause in cursor.fetchall()})


def _day(cursor: Cursor, dataset: str, day: date) -> DayReport | None:
    start, end = daily.bounds(day)
    values = {"dataset": dataset, "start": start, "end": end, "files": daily.FILES}
    cursor.execute(REPORTS["day"], values)
    rows = cursor.fetchall()
    if not rows:
        return None
    cursor.execute(REPORTS["day_failed"], values)
    failed = [row._asdict() for row in cursor.fetchall()]
    return DayReport(
        dataset=dataset,
        day=day,
        states={row.state: row.files for row in rows},
        counts={name: sum(getattr(row, name) for row in rows) for name in COUNTS},
        causes=_causes(cursor, "day_causes", values),
        failures=_failures(cursor, "day_failures", values),
        failed=failed,
        open=_open(cursor, dataset),
        unresolved=sum(row.unresolved for row in rows),
    )


def _ours(cursor: Cursor, day: date) -> OursReport | None:
    start, end = daily.bounds(day)
    values = {"start": start, "end": end, "files": daily.FILES}
    failures = _failures(cursor, "ours", values)
    if not failures:
        return None
    cursor.execute(REPORTS["ours_failed"], values)
    failed = [row._asdict() for row in cursor.fetchall()]
    return OursReport(day, sum(failure.files for failure in failures), failures, failed, _open(cursor, None))


def _late(cursor: Cursor, letter: Any) -> Lateness:
    cursor.execute(REPORTS["expected_since"], {"dataset": letter.dataset})
    expectation = cursor.fetchone()
    cursor.execute(REPORTS["last_came"], {"dataset": letter.dataset})
    return Lateness(
        dataset=letter.dataset,
        expected=expectation.expected,
        deadline=datetime.fromisoformat(letter.about),
        last=cursor.fetchone().last,
    )


def _causes(cursor: Cursor, query: str, values: dict[str, Any]) -> list[Cause]:
    cursor.execute(REPORTS[query], values)
    return [Cause(**row._asdict()) for row in cursor.fetchall()]


def _failures(cursor: Cursor, query: str, values: dict[str, Any]) -> list[Failure]:
    cursor.execute(REPORTS[query], values)
    return [Failure(**row._asdict()) for row in cursor.fetchall()]


def _open(cursor: Cursor, dataset: str | None) -> int:
    cursor.execute(REPORTS["open_jobs"], {"dataset": dataset})
    return int(cursor.fetchone().files)
