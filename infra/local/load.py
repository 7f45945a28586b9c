"""Drops a file into the running stack and follows its job to the end."""

from collections.abc import Callable
from pathlib import Path

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.metadata import VALIDATE_ONLY
from dropload_client.following import APPEAR_TIMEOUT_SECONDS, appeared, follow
from infra.local.client import ApiClient, asking
from infra.local.emulator import Access
from infra.local.errors import StackError
from infra.local.progress import EXIT_CODES, Job, Meter, meter, summary
from infra.local.state import Local

__all__ = ["follow", "load", "run"]


def run(file: Path, dataset: str, state: Path, *, validate_only: bool) -> int:
    """The ``load`` command. Returns its exit code."""
    job = load(file, dataset, state, validate_only=validate_only)
    print(summary(job))
    return EXIT_CODES.get(job["state"], 1)


def load(
    file: Path,
    dataset: str,
    state: Path,
    check: Callable[[], None] = lambda: None,
    *,
    validate_only: bool = False,
) -> Job:
    """Upload ``file`` to ``input/<dataset>/``, show its job's progress and return the job as it ended.

    ``check`` is called while waiting and may raise. Raises StackError when the file cannot be read or the stack does
    not answer.
    """
    key = f"input/{dataset}/{file.name}"
    metadata = {VALIDATE_ONLY: "true"} if validate_only else {}
    with asking(state) as (client, local), meter() as shown:
        version_id = _upload(file, key, metadata, local, shown)
        return follow(_appeared(client, key, version_id, check), client, shown, check)


def _upload(file: Path, key: str, metadata: dict[str, str], local: Local, shown: Meter) -> str:
    """Upload the file and return the version that it became."""
    done = 0

    def sent(count: int) -> None:
        nonlocal done
        done += count
        shown.upload(done, size)

    access = Access(local.aws_endpoint_url, local.aws_access_key_id, local.aws_secret_access_key, local.region)
    s3 = access.session().client("s3", endpoint_url=access.endpoint_url)
    try:
        size = file.stat().st_size
        s3.upload_file(str(file), local.bucket, key, ExtraArgs={"Metadata": metadata}, Callback=sent)
        return s3.head_object(Bucket=local.bucket, Key=key)["VersionId"]
    except OSError as problem:
        raise StackError(f"cannot read {file}: {problem.strerror}") from None
    except (S3UploadFailedError, ClientError, BotoCoreError) as problem:
        raise StackError(f"cannot upload {file}: {problem}") from None


def _appeared(client: ApiClient, key: str, version_id: str, check: Callable[[], None]) -> Job:
    job = appeared(client, key, version_id, check=check)
    if job is None:
        raise StackError(f"no job for {key} after {APPEAR_TIMEOUT_SECONDS} seconds; see the emulator's log")
    return job
