"""Logs: one line each, as JSON for CloudWatch or as text for people; metrics are lines of their own, in EMF.

EMF is CloudWatch's own format: of a line with an ``_aws`` member it makes metrics, without a call by us.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Names of fields are those of Powertools for AWS Lambda, where it has one, so that what reads its lines reads ours.
Why this is not Powertools: docs/telemetry.md.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import DroploadError
from chalicelib.services.metrics import Metric
from chalicelib.services.telemetry import FIELDS, current

NAMESPACE = "dropload"
OTHER = "_"  # the dataset of a folder that is none's: anyone may make up such names, and each would be a metric
_FRAMES = 12  # of a traceback, the innermost
_LONGEST = 10_000  # characters of a message
_QUIET = logging.WARNING  # of libraries, whose lines on lower levels may hold what they carry
log = logging.getLogger("dropload.events")


class LoggedMeter:
    """See ``services.telemetry.Meter``. ``datasets`` are the only ones that are told apart."""

    def __init__(self, datasets: Callable[[], Collection[str]]) -> None:
        self._datasets = datasets

    def report(
        self, event: str, metrics: Mapping[Metric, float], *, dataset: str | None = None, **fields: object
    ) -> None:
        if log.isEnabledFor(logging.INFO):
            known = None if dataset is None else dataset if dataset in self._datasets() else OTHER
            log.info(event, extra={"fields": fields, "metrics": metrics, "of_dataset": known})


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": _when(record),
            "level": record.levelname,
            "location": f"{record.module}:{record.lineno}",
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line |= described(record.exc_info[1])
        metrics: Mapping[Metric, float] | None = getattr(record, "metrics", None)
        if metrics:
            line |= emf(metrics, dataset=getattr(record, "of_dataset", None), at_ms=int(record.created * 1000))
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """For people: time, level, logger, message, and what there is besides."""

    def format(self, record: logging.LogRecord) -> str:
        more = {**_fields(record), **getattr(record, "metrics", {})}
        more.pop("request_id", None)
        if record.exc_info and record.exc_info[1] is not None:
            more |= described(record.exc_info[1])
        facts = " ".join(f"{name}={_short(value)}" for name, value in more.items())
        return f"{_when(record)} {record.levelname} {record.name} {_message(record)} {facts}".rstrip()


def emf(metrics: Mapping[Metric, float], *, dataset: str | None, at_ms: int) -> dict[str, Any]:
    """What makes metrics of a line: their values and dimensions, and how CloudWatch finds them."""
    dimensions = ["function"] if dataset is None else ["dataset", "function"]
    named = [{"Name": metric.value, "Unit": metric.unit} for metric in metrics]
    directive = {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": named}
    return {
        "_aws": {"Timestamp": at_ms, "CloudWatchMetrics": [directive]},
        **({} if dataset is None else {"dataset": dataset}),
        "function": current().what or "none",
        **{metric.value: value for metric, value in metrics.items()},
    }


def described(error: BaseException) -> dict[str, Any]:
    """An exception without what it may quote: only messages of our own are fit to be read by anyone.

    A ValueError of Python's has the value in its message, and a traceback's text has that message.
    """
    found: dict[str, Any] = {"exception_name": type(error).__name__, "stack_trace": list(_frames(error))}
    if isinstance(error, DroploadError):
        found |= {"error_code": error.code, "exception": error.message}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        found["cause"] = type(cause).__name__
    return found


def start(format: str, file: str | None = None) -> None:
    """Have this process log so, to its standard output and this file: of libraries only what is wrong with them.

    Lambda's runtime has a handler of its own on the root logger, which would write every line a second time.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if file is not None:
        handlers.append(logging.FileHandler(file, encoding="utf-8"))  # it appends, as other processes do
    for handler in handlers:
        handler.setFormatter(JsonFormatter() if format == "JSON" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(_QUIET)
    logging.getLogger("dropload").setLevel(logging.INFO)
    logging.captureWarnings(True)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    error = record.exc_info[1] if record.exc_info else None
    return {**current().fields, **getattr(error, FIELDS, {}), **getattr(record, "fields", {})}


def _message(record: logging.LogRecord) -> str:
    return record.getMessage()[:_LONGEST]


def _when(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _frames(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]:
        yield f"{frame.filename}:{frame.lineno} {frame.name}"


def _short(value: object) -> str:
    return (
        f"{value:.3f}" if isinstance(value, float) else json.dumps(value, default=str) if _spaced(value) else str(value)
    )


def _spaced(value: object) -> bool:
    return not isinstance(value, str) or " " in value or "=" in value or not value.isprintable()
