"""What surrounds every invocation, whatever triggers it: fields for its log lines, its measure, discreet errors."""

import logging
import os
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from chalice import Chalice, Response
from chalice.app import Request

from chalicelib.bootstrap import container
from chalicelib.errors import DroploadError, Terminal
from chalicelib.services.deadline import within
from chalicelib.services.metrics import API, Metric
from chalicelib.services.telemetry import FIELDS, Meter, working

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
log = logging.getLogger("dropload.invocations")
_first = True  # of this process


def observe(app: Chalice) -> None:
    """Put all handlers of the app, but for its authorizer, into ``observed``."""
    app.register_middleware(observed, "all")


def observed(event: Any, handle: Callable[[Any], Any]) -> Any:
    """Handle an event with what Lambda knows of its invocation on each line that is logged.

    Raises:
        DroploadError: whatever the handler raises; in place of anything else a Terminal that names its type only,
            since Lambda logs what it is given, and the messages of others' exceptions may quote a value.
    """
    global _first
    cold, _first = _first, False
    is_request = isinstance(event, Request)
    context: Any = event.lambda_context if is_request else event.context
    function = "api" if is_request else _name(handle)
    meter = container().meter  # the first thing of all: it starts the logs
    with working(function, cold_start=cold, **_about(context)), within(_remaining(context)):
        return _answered(event, handle, meter) if is_request else _handled(event, handle, meter)


def _remaining(context: Any) -> Callable[[], float] | None:
    """What tells how many seconds are left; None where Lambda is not what runs us."""
    ask = getattr(context, "get_remaining_time_in_millis", None)
    return None if ask is None else lambda: ask() / 1000


def guarded(function: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """The same for what is no handler to Chalice's middleware: the authorizer, which knows no context."""

    @wraps(function)
    def guard(asked: Asked) -> Answer:
        with working(function.__name__):
            return _handled(asked, function, container().meter)

    return guard


def _handled(event: Asked, handle: Callable[[Asked], Answer], meter: Meter) -> Answer:
    try:
        return handle(event)
    except Exception as error:
        known = isinstance(error, DroploadError)
        with working(**getattr(error, FIELDS, {})):
            log.log(logging.WARNING if known else logging.ERROR, "failed", exc_info=True)
            meter.report(
                "failure",
                {Metric.FAILURES: 1},
                error_code=error.code if isinstance(error, DroploadError) else "unexpected",
            )
        if known:
            raise
        raise Terminal("unexpected", type(error).__name__) from None


def _answered(request: Request, handle: Callable[[Any], Any], meter: Meter) -> Response:
    began = time.monotonic()
    answer: Response = handle(request)
    seconds = time.monotonic() - began
    meter.report(
        "answered",
        {API.get(answer.status_code // 100, Metric.API_5XX): 1, Metric.API_SECONDS: seconds},
        method=request.method,
        route=request.context.get("resourcePath"),  # with {id} in it: what people put there may be anything
        status=answer.status_code,
    )
    return answer


def _name(handle: Callable[[Any], Any]) -> str:
    """The name of a handler in app.py; Chalice wraps those that are no consumers of queues once more."""
    return str(getattr(getattr(handle, "_original_func", handle), "__name__", "unknown"))


def _about(context: Any) -> dict[str, Any]:
    found = {"request_id": getattr(context, "aws_request_id", None), "xray_trace_id": _trace()}
    return {name: value for name, value in found.items() if value}


def _trace() -> str:
    """The id under which X-Ray has this invocation, where it traces: ``Root=1-...;Parent=...;Sampled=1``."""
    fields = dict(part.partition("=")[::2] for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    return fields.get("Root", "")
