"""What each command does. All return an exit code; they raise ApiError, and OSError for files of ours."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dropload_client.api import ApiClient, ApiError
from dropload_client.downloading import download, download_part, print_file
from dropload_client.exporting import Wanted, ended_export, export_summary
from dropload_client.following import appeared, follow
from dropload_client.report import ENDED, EXIT_CODES, Job, Lines, Meter, Silent, line, summary
from dropload_client.settings import Settings, find_settings, save_settings
from dropload_client.uploading import post_form, sha256_of
from dropload_client.whereabouts import LOADED, said

Arguments = argparse.Namespace
_FAILED = 1
_SOME_REJECTED = 3


def login(arguments: Arguments) -> int:
    """Remember where the API is, and the key, once they have been tried."""
    url = arguments.url or input("URL: ").strip()
    key = arguments.key or getpass.getpass("API key: ").strip()
    me = ApiClient(url, key).get("/v1/me")
    file = save_settings(Settings(url.rstrip("/"), key))
    say(arguments, f"{me['name']}: {', '.join(me['scopes'])}; kept in {file}", me)
    return 0


def upload(arguments: Arguments) -> int:
    """Upload files; the exit code is that of the worst."""
    client = _client(arguments)
    results, codes = [], []
    for file in arguments.files:
        try:
            found = _upload(client, file, arguments)
        except (ApiError, OSError) as problem:
            if isinstance(problem, ApiError) and problem.status in (401, 403):
                raise
            found = {"file": str(file), "error": _why(problem)}
            print(f"dropload: {file}: {found['error']}", file=sys.stderr)
        results.append(found)
        job = found.get("job")
        codes.append(_FAILED if "error" in found else 0 if job is None else _code(job))
    if arguments.json:
        print(json.dumps(results))
    return max(codes, key=[0, _SOME_REJECTED, _FAILED].index)


def _upload(client: ApiClient, file: Path, arguments: Arguments) -> dict[str, Any]:
    """One file's outcome: its ``key`` and its ``job``, None where none has appeared."""
    request = {
        "dataset": arguments.dataset,
        "filename": file.name,
        "size": file.stat().st_size,
        "sha256": sha256_of(file),
        "validate_only": arguments.validate_only,
        "again": arguments.again,
        "max_attempts": arguments.max_attempts,
    }
    try:
        form = client.post("/v1/uploads", request)
    except ApiError as refused:
        if refused.problem.get("code") != "loaded-before":
            raise
        job = client.get(f"/v1/jobs/{refused.problem['job']}")
        say(arguments, f"{file}: was loaded before\n{summary(job)}")
        return {"file": str(file), "key": job["object"]["key"], "loaded_before": True, "job": job}
    shown = _meter(arguments)
    done = post_form(form, file, shown.upload)
    found = appeared(client, done.key, done.version_id, done.etag)
    if found is None:
        say(arguments, f"{file}: uploaded as {done.key}; its job has not begun yet: dropload jobs --of {done.key}")
    elif arguments.wait:
        found = follow(found, client, shown)
        say(arguments, summary(found))
    else:
        say(arguments, f"{file}: job {found['id']}")
    return {"file": str(file), "key": done.key, "loaded_before": False, "job": found}


def fetch(arguments: Arguments) -> int:
    """Have a file loaded that lies somewhere else."""
    wanted = {"target": arguments.target, "dataset": arguments.dataset}
    how = {"validate_only": arguments.validate_only, "again": arguments.again}
    client = _client(arguments)
    return _begun(client, client.post("/v1/jobs", {**wanted, **how}), arguments)


def jobs(arguments: Arguments) -> int:
    """The newest jobs."""
    filters = {"dataset": arguments.dataset, "state": arguments.state, "key": arguments.of}
    filters = {name: value for name, value in filters.items() if value is not None}
    found = _client(arguments).get("/v1/jobs", limit=arguments.limit, **filters)["items"]
    say(arguments, "\n".join(map(line, found)) or "no jobs", found)
    return 0


def job(arguments: Arguments) -> int:
    """One job, as it is or as it ends."""
    client = _client(arguments)
    found = client.get(f"/v1/jobs/{arguments.id}")
    if arguments.watch:
        found = follow(found, client, _meter(arguments))
    say(arguments, summary(found), found)
    return _code(found)


def rejected(arguments: Arguments) -> int:
    """The file of a job's rejected records."""
    url = _client(arguments).location(f"/v1/jobs/{arguments.id}/rejected.csv")
    if arguments.output is None:
        print_file(url)
    else:
        path = download(url, arguments.output)
        say(arguments, str(path), {"file": str(path)})
    return 0


def redrive(arguments: Arguments) -> int:
    """Do again what failed of a job."""
    client = _client(arguments)
    body = {} if arguments.what is None else {"what": arguments.what}
    return _begun(client, client.post(f"/v1/jobs/{arguments.id}/redrive", body), arguments)


def cancel(arguments: Arguments) -> int:
    """Call a job off."""
    client = _client(arguments)
    found = client.post(f"/v1/jobs/{arguments.id}/cancel", {})
    if arguments.wait:
        found = follow(found, client, _meter(arguments))
    say(arguments, summary(found), found)
    return 0 if found["state"] in ("CANCELLED", "CANCELLING") or found["state"] not in ENDED else _FAILED


def export(arguments: Arguments) -> int:
    """Write a dataset out, and get the files."""
    out: Path | None = arguments.out
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ApiError(f"{out} is not empty: files of another export would stand beside these; choose a new folder")
    client = _client(arguments)
    wanted = Wanted(arguments.format, dict(arguments.filter), arguments.max_part_bytes, arguments.with_id)
    found = client.post(f"/v1/datasets/{arguments.dataset}/exports", wanted.as_json())
    found = ended_export(client, found, _progress(arguments))
    say(arguments, export_summary(found), found)
    if found["state"] != "COMPLETED":
        return _FAILED
    if out is not None:
        for part in [*found["parts"], found["manifest"]]:
            path = download_part(part, out)
            _progress(arguments)(f"  {path}")
    return 0


def why(arguments: Arguments) -> int:
    """What became of an object, or why nothing did."""
    found = _client(arguments).get("/v1/objects", key=arguments.key_of)
    say(arguments, "\n".join(said(found)), found)
    return 0 if found["code"] in LOADED else _FAILED


def say(arguments: Arguments, text: str, data: object = None) -> None:
    """Print it for a person; or, where a program reads, only the data."""
    if not arguments.json:
        print(text, flush=True)
    elif data is not None:
        print(json.dumps(data, ensure_ascii=False), flush=True)


def _begun(client: ApiClient, job: Job, arguments: Arguments) -> int:
    if arguments.wait:
        job = follow(job, client, _meter(arguments))
    say(arguments, summary(job) if arguments.wait else f"job {job['id']}", job)
    return _code(job)


def _client(arguments: Arguments) -> ApiClient:
    found = find_settings(arguments.url, arguments.key)
    return ApiClient(found.url, found.key, patient=True)


def _meter(arguments: Arguments) -> Meter:
    """Progress goes to standard error: what is piped elsewhere is the outcome alone."""
    return Silent() if arguments.json else Lines(sys.stderr, over=sys.stderr.isatty())


def _progress(arguments: Arguments) -> Callable[[str], None]:
    return lambda text: None if arguments.json else print(text, file=sys.stderr, flush=True)


def _code(job: Job) -> int:
    return EXIT_CODES.get(job["state"], _FAILED) if job["state"] in ENDED else 0


def _why(problem: Exception) -> str:
    return f"cannot read it: {problem.strerror or problem}" if isinstance(problem, OSError) else str(problem)
