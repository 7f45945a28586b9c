"""What a day brought: a mail per dataset to its owners, and one to the engineers about what was ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.core.digest import Cause, Failure, causes_of
from chalicelib.core.letter import counted, file_name, page_url
from chalicelib.core.mailtext import Figures, Item, Letter, Listing, Paragraph, Places, one_line, written

FILES = 50
"""Failed files listed in a mail; the rest is in the status."""


@dataclass(frozen=True, slots=True)
class DayReport:
    """A dataset's day, by the jobs that ended on it; those that only validated are left out.

    ``states`` counts jobs by state, ``counts`` records by what became of them. ``open`` jobs are under way now,
    ``unresolved`` are records rejected on the day that no later file has mended yet. ``failed`` are the first files
    that failed, each with ``id``, ``key`` and ``code``.
    """

    dataset: str
    day: date
    states: Mapping[str, int]
    counts: Mapping[str, int]
    causes: Sequence[Cause]
    failures: Sequence[Failure]
    failed: Sequence[Mapping[str, Any]]
    open: int
    unresolved: int


@dataclass(frozen=True, slots=True)
class OursReport:
    """The day of the engineers: the files that failed for reasons that are not their owners', and how many are open.

    ``failed`` are the first of them, each with ``id``, ``dataset``, ``key`` and ``code``.
    """

    day: date
    files: int
    failures: Sequence[Failure]
    failed: Sequence[Mapping[str, Any]]
    open: int


def last_day(now: datetime, hour: int) -> date:
    """Return the last day whose mails are due at ``now``: they go out at this hour (UTC) of the next one."""
    return (now.astimezone(UTC) - timedelta(hours=hour)).date() - timedelta(days=1)


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return when a day begins and ends, in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def compose_day(report: DayReport, public_url: str) -> Letter:
    """The letter about a dataset's day."""
    dataset, states = one_line(report.dataset), report.states
    files, rejected = sum(states.values()), report.counts["rejected"]
    causes = len(report.causes) + len(report.failures)
    failed = states.get("FAILED", 0)
    lead = f"{counted(files, 'file')}, {counted(report.counts['read'], 'record')}, {rejected:,} rejected"
    lead += f", {failed:,} failed" * bool(failed)
    still = [f"{counted(report.open, 'file')} still under way"] if report.open else []
    still += [f"{counted(report.unresolved, 'rejected record')} not mended yet"] if report.unresolved else []
    return written(
        f"[dropload] {dataset} on {report.day}: {lead}",
        [
            Paragraph(f"{lead}; {counted(causes, 'cause')}." if causes else f"{lead}.", lead=True),
            Listing(causes_of(report.failures, report.causes)),
            Paragraph(f"Still open: {'; '.join(still)}." if still else ""),
            Listing(_files(report.failed, failed, public_url), title="Files that failed:"),
            Figures([("files", files), *((_words(state), number) for state, number in states.items())]),
            Figures([("records" if label == "read" else label, number) for label, number in report.counts.items()]),
            Places([("Page", f"{public_url}/#/jobs")]),
        ],
    )


def compose_ours(report: OursReport, public_url: str) -> Letter:
    """The letter about what was the engineers' on a day."""
    lead = f"{counted(report.files, 'file')} failed for us, {counted(len(report.failures), 'cause')}"
    return written(
        f"[dropload] {report.day}: {lead}",
        [
            Paragraph(f"{lead}.", lead=True),
            Listing(causes_of(report.failures, ())),
            Paragraph(f"Still open: {counted(report.open, 'file')} still under way." if report.open else ""),
            Listing(_files(report.failed, report.files, public_url), title="The files:"),
            Places([("Page", f"{public_url}/#/jobs")]),
        ],
    )


def _files(failed: Sequence[Mapping[str, Any]], all_of_them: int, public_url: str) -> list[Item]:
    items = [Item(f"{_file(job)} ({job['code']})", url=page_url(public_url, job["id"])) for job in failed]
    more = all_of_them - len(failed)
    return [*items, *([Item(f"... and {counted(more, 'more file')}")] if items and more > 0 else [])]


def _file(job: Mapping[str, Any]) -> str:
    dataset = one_line(job.get("dataset") or "")
    return f"{dataset}: {file_name(job['key'])}" if dataset else file_name(job["key"])


def _words(state: str) -> str:
    return state.lower().replace("_", " ")
