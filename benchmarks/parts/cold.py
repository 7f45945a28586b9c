"""Cold starts: a fresh process for each, from the interpreter's start to the end of its first invocation.

This machine's disk cache is warm and its bytecode compiled, as Lambda's is not: what counts is which part it is.
"""

import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from typing import Any

from benchmarks import tables
from benchmarks.parts import Bench
from benchmarks.stage import say
from infra.local.paths import ROOT

# What each function is first called with: a message that costs it nothing but its own setting up.
_NOBODY = "00000000-0000-7000-8000-000000000000"
_CALLS = {
    "split": {"Event": "s3:TestEvent"},
    "load": {"job": _NOBODY, "batch": 0},
    "convert": {"job": _NOBODY},
    "notify": {},
    "export": {"export": _NOBODY},
    "sweep": None,
    "api": None,
}
_SHOWN = 12
_PROGRAM = """
import sys, time
began = time.perf_counter()
import json
from benchmarks.functions import Context, _event, peak_mb
import app
imported = time.perf_counter()
function, body = sys.argv[1], sys.argv[2]
def call():
    if function == "api":
        from chalice.test import Client
        with Client(app.app) as client:
            client.http.get("/openapi.json")
    elif function == "sweep":
        event = dict.fromkeys(("version", "account", "region", "detail", "detail-type", "source", "time", "id"), "-")
        app.sweep({**event, "resources": []}, Context())
    else:
        getattr(app, function)(_event((function, body)), Context())
def called():
    at = time.perf_counter()
    try:
        call()
    except Exception as error:
        return time.perf_counter() - at, type(error).__name__
    return time.perf_counter() - at, ""
(first, error), (second, _) = called(), called()
print(json.dumps({"import": imported - began, "first": first, "second": second, "mb": peak_mb(), "error": error}))
"""


def cold(bench: Bench) -> dict[str, Any]:
    """Medians in milliseconds, and the seconds of import by package."""
    bench.stage.reset({"members": tables.members()})
    environment = {**os.environ, **bench.stage.environment}
    found = {}
    for name, body in _CALLS.items():
        runs = []
        for _ in range(3 if bench.options.quick else 9):
            command = [sys.executable, "-c", _PROGRAM, name, json.dumps(body)]
            handler = {"_HANDLER": "app.app" if name == "api" else f"app.{name}"}
            done = subprocess.run(
                command, env=environment | handler, cwd=ROOT, capture_output=True, text=True, check=True
            )
            runs.append(json.loads(done.stdout.splitlines()[-1]))
        found[name] = {
            f"{step}_ms": round(1000 * statistics.median(run[step] for run in runs), 1)
            for step in ("import", "first", "second")
        }
        found[name]["peak_mb"] = round(statistics.median(run["mb"] for run in runs), 1)
        if runs[0]["error"]:
            found[name]["error"] = runs[0]["error"]
        say(f"cold start of {name}: {found[name]}")
    return {"functions": found, **_imports(environment)}


def _imports(environment: dict[str, str]) -> dict[str, dict[str, float]]:
    """Each package's own part of ``import app``, and that of the heaviest modules."""
    command = [sys.executable, "-X", "importtime", "-c", "import app"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    packages: dict[str, float] = defaultdict(float)
    modules: dict[str, float] = {}
    for line in done.stderr.splitlines():
        cells = line.removeprefix("import time:").split("|")
        if len(cells) == 3 and cells[0].strip().isdigit():
            module, own = cells[2].strip(), int(cells[0]) / 1000
            modules[module] = own
            packages[_package(module)] += own
    return {"packages_ms": _heaviest(packages), "modules_ms": _heaviest(modules)}


def _heaviest(spent: dict[str, float]) -> dict[str, float]:
    ordered = sorted(spent.items(), key=lambda item: -item[1])
    return {
        **{name: round(own, 1) for name, own in ordered[:_SHOWN]},
        "the rest": round(sum(own for _, own in ordered[_SHOWN:]), 1),
    }


def _package(module: str) -> str:
    top = module.partition(".")[0]
    return "the standard library" if top in sys.stdlib_module_names else top
