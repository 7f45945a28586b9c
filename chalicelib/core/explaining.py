"""Why a file is loaded, or is not (yet): a stable code, a sentence for people, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.core.states import JobState
from chalicelib.core.targets import MOST_KEY, folder_dataset

INPUT = "input/"


class Told(NamedTuple):
    """``advice`` is empty where there is nothing to do."""

    code: str
    explanation: str
    advice: str = ""


def misplaced(key: str, datasets: Sequence[str]) -> Told | None:
    """Return why an object with this key is none that is ever loaded; ``None`` where it may be one."""
    known = f"The datasets are: {', '.join(datasets) or 'none'}."
    if not key.startswith(INPUT):
        folder = key.partition("/")[0]
        ours = folder in ("error", "output", "archive", "staging") and "/" in key
        what = f"What lies under {folder}/ was written by dropload itself" if ours else "This key is not under input/"
        return Told(
            "not-under-input",
            f"{what}; only what lies under input/<dataset>/ is loaded.",
            f"Drop the file under input/<dataset>/. {known}",
        )
    dataset = folder_dataset(key)
    if dataset is None:
        return Told(
            "no-dataset-folder",
            "The key names no dataset: a file must lie in a folder of its dataset, input/<dataset>/.",
            f"Drop the file there. {known}",
        )
    if key.endswith("/"):
        return Told("folder", "The key is a folder's, and not a file's.", "Ask for the key of a file.")
    if len(key.encode(errors="replace")) > MOST_KEY:
        return Told("no-object", f"No object has a key of more than {MOST_KEY} bytes.", "Look at its spelling.")
    return None


def jobless(key: str, *, exists: bool, known: bool, earlier: int, datasets: Sequence[str]) -> Told:
    """Return why no job is of the object as it is now; ``known``: whether its folder is that of a dataset.

    ``earlier`` counts the jobs of its earlier versions, if the object ``exists``.
    """
    if not exists:
        unknown = "" if known else f" Nor is its folder that of a dataset; these are: {', '.join(datasets) or 'none'}."
        return Told(
            "no-object",
            f"There is no object with this key, and there was no job for one.{unknown}",
            "Look at its spelling, large and small letters included, and at whether the upload was finished.",
        )
    if not known:
        return Told(
            "unknown-dataset",
            f"Its folder is that of no dataset. The datasets are: {', '.join(datasets) or 'none'}.",
            "Drop it under the right folder. This one will have a job, which fails.",
        )
    before = f" {_jobs(earlier)} of earlier versions of it." if earlier else ""
    return Told(
        "waiting-for-event",
        f"The object is there, and has no job yet: S3 has not announced it, or its announcement waits.{before}",
        "Wait a minute; what was never announced is found by the sweep, every five minutes. If it is much older than "
        "that, its job may have aged out: start it by POST /v1/jobs with its address as the target.",
    )


def explain(job: Mapping[str, Any], *, exists: bool) -> Told:
    """Return what became of a job (as the API shows it), the one of the object as it is now, or of the last one."""
    told = _EXPLAINED[JobState(job["state"])](job)
    if exists or job["state"] == JobState.PENDING:
        return told
    if job["source"] is not None and job["started_at"] is None:
        return told  # it was never fetched
    return told._replace(explanation=f"{told.explanation} The object itself is gone since.")


def _pending(job: Mapping[str, Any]) -> Told:
    if job["starts_at"] is not None:
        return Told(
            "waiting-for-window",
            f"It waits for the load window of its dataset, which opens at {job['starts_at']}.",
            f"Wait, or start it now: POST /v1/jobs/{job['id']}/start.",
        )
    if job["source"] is not None:
        return Told("fetching", "It is being fetched from where it lies.", "Wait for its job.")
    return Told("waiting", "Its job is opened, and nobody has begun it yet.", "Wait: other files may be before it.")


def _running(job: Mapping[str, Any]) -> Told:
    done, batches = job["progress"], job["progress"]["batches"]
    left = batches["pending"] + batches["running"]
    return Told(
        "loading",
        f"It is being loaded: {done['bytes_done']:,} bytes are done, {left:,} batches are left of what was cut so far.",
        "Wait for its job.",
    )


def _loaded(job: Mapping[str, Any]) -> Told:
    if job["validate_only"]:
        return Told(
            "validated",
            "It was to be validated only, so that nothing of it was loaded.",
            "Drop it again without x-amz-meta-dropload-validate-only.",
        )
    counts = job["counts"]
    became = ", ".join(f"{counts[name]:,} {name}" for name in counts if name != "read" and counts[name])
    records = f"{counts['read']:,} record{'' if counts['read'] == 1 else 's'}"
    if counts["rejected"]:
        return Told(
            "loaded-with-failures",
            f"It was loaded, but for what was rejected: of {records}, {became}.",
            f"The reasons are in {job['links']['rejections']}; mend the error file, and drop it into the same folder.",
        )
    if not counts["read"]:
        return Told("loaded", "It was loaded; it has no records.")
    return Told("loaded", f"It was loaded: of {records}, {became}.")


def _failed(job: Mapping[str, Any]) -> Told:
    reason = job["reason"]
    why = f"{reason['message']} ({reason['code']})"
    if job["retry_at"] is not None:
        return Told(
            "waiting-for-retry",
            f"It failed for a reason that may pass, and is tried again at {job['retry_at']}: {why}.",
            f"Wait, or try it now: POST /v1/jobs/{job['id']}/redrive.",
        )
    if reason["class"] == "file":
        return Told("failed", f"It could not be loaded: {why}.", "Mend the file, and drop it again.")
    return Told(
        "failed",
        f"It could not be loaded, which is no fault of the file: {why}.",
        f"The engineers have been told; when the cause is gone: POST /v1/jobs/{job['id']}/redrive.",
    )


def _duplicate(job: Mapping[str, Any]) -> Told:
    return Told(
        "duplicate",
        f"The same bytes were dropped under this name before: job {job['duplicate_of']} has them.",
        "Nothing, if that one is fine. To load them again: POST /v1/jobs with its address as the target and `again`.",
    )


def _cancelled(job: Mapping[str, Any]) -> Told:
    return Told(
        "cancelled",
        "Its job was called off. What it had loaded before that is in the table.",
        f"To load all of it, if nothing of it is in the table: POST /v1/jobs/{job['id']}/redrive; else drop it again.",
    )


def _cancelling(_job: Mapping[str, Any]) -> Told:
    return Told("cancelling", "Its job has been called off, and is about to end.")


_EXPLAINED = {
    JobState.PENDING: _pending,
    JobState.RUNNING: _running,
    JobState.CANCELLING: _cancelling,
    JobState.CANCELLED: _cancelled,
    JobState.COMPLETED: _loaded,
    JobState.COMPLETED_WITH_FAILURES: _loaded,
    JobState.FAILED: _failed,
    JobState.DUPLICATE: _duplicate,
}
CODES = (
    *("not-under-input", "no-dataset-folder", "folder", "no-object", "unknown-dataset", "waiting-for-event"),
    *("waiting-for-window", "fetching", "waiting", "loading", "validated", "loaded", "loaded-with-failures"),
    *("waiting-for-retry", "failed", "duplicate", "cancelled", "cancelling"),
)
"""All that may be answered."""


def _jobs(number: int) -> str:
    return "There is 1 job" if number == 1 else f"There are {number:,} jobs"
