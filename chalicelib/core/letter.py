"""The email about a job that ended with failures: causes first, no cell value anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.core.error_file import error_file_name

_CAUSES = 20  # listed in a mail; the rest is in the status
_NAME = 80  # characters of a file's name in a subject


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's subject (one line) and its plain text."""

    subject: str
    text: str


def compose(job: Mapping[str, Any], lines: Mapping[tuple[str, str | None], Sequence[int]], public_url: str) -> Letter:
    """The letter about ``job`` (the API's job object); ``lines`` are the first lines of each (code, column)."""
    name = _one_line(job["object"]["key"].rsplit("/", 1)[-1])
    counts = job["counts"]
    status = f"{public_url}/v1/jobs/{job['id']}"
    validated = bool(job["validate_only"])
    if job["state"] == "FAILED":
        subject = f"[dropload] {job['dataset'] or 'unknown dataset'}: {'validation of ' * validated}{name} failed"
        reason = f"{_one_line(job['reason']['message'], limit=1000)} ({job['reason']['code']})."
        whole = " whole" if counts["inserted"] or counts["updated"] else ""
        opening = f"{name} {'would not be' if validated else 'could not be'} loaded{whole}: {reason}"
    elif validated:
        rejected = f"{counts['rejected']:,} of {counts['read']:,} records would be rejected"
        subject = f"[dropload] {job['dataset']}: validation of {name}: {rejected}"
        opening = f"{rejected}."
    else:
        subject = (
            f"[dropload] {job['dataset']}: {counts['rejected']:,} of {counts['read']:,} records rejected in {name}"
        )
        causes = len(job["causes"])
        opening = f"{counts['rejected']:,} records rejected, {causes:,} cause{'s' if causes != 1 else ''}."
    paragraphs = [
        opening,
        "This was a validation only: nothing was loaded, and the counts are what would be." if validated else "",
        _causes(job["causes"], lines),
        "\n".join(f"  {label:<10}{counts[label]:>14,}" for label in counts),
        _where(job, status),
    ]
    return Letter(_one_line(subject, limit=200), "\n\n".join(part for part in paragraphs if part) + "\n")


def _causes(causes: Sequence[Mapping[str, Any]], lines: Mapping[tuple[str, str | None], Sequence[int]]) -> str:
    rows = []
    for cause in causes[:_CAUSES]:
        seen = list(lines.get((cause["code"], cause["column"]), ())) or [cause["example_line"]]
        more = ", ..." if cause["count"] > len(seen) else ""
        column = cause["column"] or "(whole record)"
        rows.append(f"  {cause['count']:>9,} x {cause['code']} in {column}: line {', '.join(map(str, seen))}{more}")
    if len(causes) > _CAUSES:
        rows.append(f"  ... and {len(causes) - _CAUSES} more causes")
    return "\n".join(rows)


def _where(job: Mapping[str, Any], status: str) -> str:
    bucket, key = job["object"]["bucket"], job["object"]["key"]
    rows = [f"File:      s3://{bucket}/{_one_line(key, limit=1024)}"]
    if job["counts"]["rejected"]:
        found = job["found"]
        error_file = f"error/{job['dataset']}/job={job['id']}/{error_file_name(found['format'], found['container'])}"
        rows.append(f"Rejected:  s3://{bucket}/{error_file}")
        rows.append(f"           Each line has its reason in front{_advice(job)}.")
    rows.append(f"Status:    {status}")
    return "\n".join(rows)


def _advice(job: Mapping[str, Any]) -> str:
    """What to do with rejected records: dropped alone, they make a whole only with those that were loaded."""
    if job["state"] != "FAILED" and not job["validate_only"]:
        return ": mend it and drop the file into the input folder"
    if job["validate_only"] or not any(job["counts"][label] for label in ("inserted", "updated", "unchanged")):
        return ": mend it in the file itself, and drop that"
    return ""  # stopped halfway: what to do depends on the dataset's keys


def _one_line(text: str, limit: int = _NAME) -> str:
    """Printable, on one line, and short: object keys may hold anything."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= limit else clean[: limit - 1] + "\u2026"
