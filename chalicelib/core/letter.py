"""The email about one job that ended with failures: causes first, no cell value anywhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.core.error_file import error_file_name
from chalicelib.core.mailtext import Figures, Item, Letter, Listing, Paragraph, Places, one_line, written

CAUSES = 20
"""Listed in a mail; the rest is in the status."""
REASON_CHARACTERS = 1000
KEY_CHARACTERS = 1024


def compose(job: Mapping[str, Any], lines: Mapping[tuple[str, str | None], Sequence[int]], public_url: str) -> Letter:
    """The letter about ``job`` (the API's job object); ``lines`` are the first lines of each (code, column)."""
    name = file_name(job["object"]["key"])
    dataset = one_line(job["dataset"]) or "unknown dataset"
    counts = job["counts"]
    validated = bool(job["validate_only"])
    if job["state"] == "FAILED":
        subject = f"[dropload] {dataset}: {'validation of ' * validated}{name} failed"
        reason = f"{one_line(job['reason']['message'], REASON_CHARACTERS)} ({job['reason']['code']})."
        whole = " whole" if counts["inserted"] or counts["updated"] else ""
        opening = f"{name} {'would not be' if validated else 'could not be'} loaded{whole}: {reason}"
    elif validated:
        rejected = f"{counts['rejected']:,} of {counts['read']:,} records would be rejected"
        subject = f"[dropload] {dataset}: validation of {name}: {rejected}"
        opening = f"{rejected}."
    else:
        subject = f"[dropload] {dataset}: {counts['rejected']:,} of {counts['read']:,} records rejected in {name}"
        opening = f"{counted(counts['rejected'], 'record')} rejected, {counted(len(job['causes']), 'cause')}."
    return written(
        subject,
        [
            Paragraph(opening, lead=True),
            Paragraph(
                "This was a validation only: nothing was loaded, and the counts are what would be." if validated else ""
            ),
            _causes(job["causes"], lines),
            Figures([(label, counts[label]) for label in counts]),
            _where(job, public_url),
        ],
    )


def counted(number: int, thing: str) -> str:
    """``1 file``, ``2 files``, ``12,000 files``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def file_name(key: str) -> str:
    """The last part of an object's key, fit for a subject."""
    return one_line(key.rsplit("/", 1)[-1])


def job_url(public_url: str, id: object) -> str:
    """Where programs read more about a job."""
    return f"{public_url}/v1/jobs/{id}"


def page_url(public_url: str, id: object) -> str:
    """Where people read more about a job."""
    return f"{public_url}/#/jobs/{id}"


def error_file_key(job: Mapping[str, Any]) -> str | None:
    """The key of a job's error file; ``None`` where nothing was rejected, so that there is none."""
    if not job["counts"]["rejected"]:
        return None
    found = job["found"]
    return f"error/{job['dataset']}/job={job['id']}/{error_file_name(found['format'], found['container'])}"


def _causes(causes: Sequence[Mapping[str, Any]], lines: Mapping[tuple[str, str | None], Sequence[int]]) -> Listing:
    items = []
    for cause in causes[:CAUSES]:
        seen = list(lines.get((cause["code"], cause["column"]), ())) or [cause["example_line"]]
        more = ", ..." if cause["count"] > len(seen) else ""
        at = f"line {', '.join(map(str, seen))}{more}"
        items.append(Item(f"{cause['code']} in {column_name(cause['column'])}: {at}", cause["count"]))
    if len(causes) > CAUSES:
        items.append(Item(f"... and {len(causes) - CAUSES} more causes"))
    return Listing(items)


def column_name(column: str | None) -> str:
    """A cause's column, which may be a label of the file's own."""
    return one_line(column) if column else "(whole record)"


def _where(job: Mapping[str, Any], public_url: str) -> Places:
    bucket, key = job["object"]["bucket"], job["object"]["key"]
    rows = [("File", f"s3://{bucket}/{one_line(key, KEY_CHARACTERS)}")]
    error_file = error_file_key(job)
    if error_file is not None:
        rows.append(("Rejected", f"s3://{bucket}/{one_line(error_file, KEY_CHARACTERS)}"))
        rows.append(("", f"Each line has its reason in front{_advice(job)}."))
    rows += [("Page", page_url(public_url, job["id"])), ("Status", job_url(public_url, job["id"]))]
    return Places(rows)


def _advice(job: Mapping[str, Any]) -> str:
    """What to do with rejected records: dropped alone, they make a whole only with those that were loaded."""
    if job["state"] != "FAILED" and not job["validate_only"]:
        return ": mend it and drop the file into the input folder"
    if job["validate_only"] or not any(job["counts"][label] for label in ("inserted", "updated", "unchanged")):
        return ": mend it in the file itself, and drop that"
    return ""  # stopped halfway: what to do depends on the dataset's keys
