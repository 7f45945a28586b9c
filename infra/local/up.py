"""The ``up`` command: a stack, a sample file loaded before one's eyes, and what to try next."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from chalicelib.core.error_file import error_file_name
from infra.local.demo import write_demo
from infra.local.errors import StackError
from infra.local.load import load
from infra.local.paths import DEFAULT_STATE
from infra.local.postgres_binaries import psql
from infra.local.progress import Job, summary
from infra.local.state import Local, is_held, is_ready
from infra.local.supervisor import keep_up, start_detached, supervised

SAMPLE_DATASET = "members"
SAMPLE_ROWS = 10_000
SAMPLE_DIRTY = 0.01
MAIL_TIMEOUT_SECONDS = 20
START_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    state: Path
    port: int
    fresh: bool
    detach: bool
    sample: bool


def run(options: Options) -> int:
    """Start the stack, or say that it is running. Returns the exit code."""
    if is_held(options.state):
        return _say_running(options)
    if options.detach:
        print("starting the stack in the background", flush=True)
        local = start_detached(options.state, options.port, fresh=options.fresh)
        _welcome(local, options, lambda: None)
        print("\nStop it with: python3 dev.py down" + _state_argument(options))
        return 0
    with supervised(options.state, options.port, fresh=options.fresh, say=_say) as stack:
        _welcome(stack.local, options, stack.check)
        print("\nReady. Ctrl-C stops it.", flush=True)
        keep_up(stack)
    return 0


def _say(what: str) -> None:
    print(what, flush=True)


def _say_running(options: Options) -> int:
    if options.fresh:
        raise StackError("a stack is running on this state; stop it first: python3 dev.py down")
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not is_ready(options.state):  # it may have been started a moment ago
        if time.monotonic() > deadline or not is_held(options.state):
            raise StackError(f"a stack was starting or stopping on {options.state}; try again")
        time.sleep(0.1)
    print(f"running already: {Local.read(options.state).api_url} (state: {options.state})")
    return 0


def _welcome(local: Local, options: Options, check: Callable[[], None]) -> None:
    """Load a sample and say where everything is."""
    print(f"\nThe page is at {local.api_url}/ - sign in with the key {local.api_key}")
    print(f"Keys and addresses for scripts are in {options.state / 'local.json'}")
    sample = _make_sample(options.state)
    job = None
    if options.sample:
        print(f"\nLoading {SAMPLE_ROWS:,} records, some of them broken: {sample}")
        job = load(sample, SAMPLE_DATASET, options.state, check)
        print(summary(job))
    print("\n" + "\n".join(_where(local, job)))
    print("\nTry next:\n" + "\n".join(_next(local, sample, job, options)), flush=True)


def _make_sample(state: Path) -> Path:
    """A file that is not there yet, with members that no earlier one has."""
    folder = state / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + sum(1 for _ in folder.glob("members-*.csv"))
    sample = folder / f"members-{number}.csv"
    with sample.open("wb") as out:
        write_demo(out, dataset=SAMPLE_DATASET, rows=SAMPLE_ROWS, size=None, dirty=SAMPLE_DIRTY, seed=number)
    return sample


def _where(local: Local, job: Job | None) -> list[str]:
    lines = [f"Rows      {psql()} '{local.database_url}' -c 'TABLE members LIMIT 5'"]
    if job is not None and job["counts"]["rejected"]:
        lines.append(f"Rejected  {_rejected(local, job)}")
        mail = _mail_of(job, Path(local.mail_dir))
        if mail is None:
            lines.append(f"Mail      none within {MAIL_TIMEOUT_SECONDS} seconds; look into {local.mail_dir}")
        else:
            subject = message_from_bytes(mail.read_bytes(), policy=default)["Subject"]
            lines.append(f"Mail      {mail}: {subject}")
    return lines


def _next(local: Local, sample: Path, job: Job | None, options: Options) -> list[str]:
    aws = (
        f"AWS_ACCESS_KEY_ID={local.aws_access_key_id} AWS_SECRET_ACCESS_KEY={local.aws_secret_access_key} "
        f"AWS_DEFAULT_REGION={local.region} aws --endpoint-url {local.aws_endpoint_url} s3 cp"
    )
    curl = f"curl -H 'Authorization: Bearer {local.api_key}'"
    lines = [
        f"  {aws} {sample} s3://{local.bucket}/input/{SAMPLE_DATASET}/again.csv",
        f"  {curl} {local.api_url}/v1/jobs",
    ]
    if job is not None and job["counts"]["rejected"]:
        lines.insert(1, f"  {aws} {_rejected(local, job)} -")
        lines.append(f"  {curl} {local.api_url}/v1/jobs/{job['id']}/rejections")
    return [*lines, f"  python3 dev.py load {sample} --dataset {SAMPLE_DATASET}{_state_argument(options)}"]


def _rejected(local: Local, job: Job) -> str:
    name = error_file_name(job["found"]["format"], job["found"]["container"])
    return f"s3://{local.bucket}/error/{job['dataset']}/job={job['id']}/{name}"


def _mail_of(job: Job, folder: Path) -> Path | None:
    """The mail that was sent of a job, as soon as it is there."""
    deadline = time.monotonic() + MAIL_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        for mail in sorted(folder.glob("*.eml"), reverse=True):
            body = message_from_bytes(mail.read_bytes(), policy=default).get_body()
            if body is not None and job["id"] in body.get_content():
                return mail
        time.sleep(0.1)
    return None


def _state_argument(options: Options) -> str:
    return "" if options.state == DEFAULT_STATE else f" --state {options.state}"
