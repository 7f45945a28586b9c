"""A client of the API."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 60
WAIT_SECONDS = 20
"""How long the API may hold an answer back until a job changes."""

_TRIES = 4
_LATER = (429, 502, 503, 504)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ApiError(Exception):
    """The API did not answer, or refused; the message says why. ``status`` and ``problem`` are what it answered."""

    def __init__(self, message: str, status: int = 0, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = dict(problem or {})


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The API key is for the API: it does not follow to wherever an answer leads."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class ApiClient:
    """Calls the API at ``url`` with an API key. With ``patient`` it tries again where that may help."""

    def __init__(self, url: str, key: str, *, patient: bool = False) -> None:
        """Raises ApiError where the key would go over the net in the clear."""
        self._url = url.rstrip("/")
        self._key = key
        self._tries = _TRIES if patient else 1
        self._opener = urllib.request.build_opener(_NoRedirects)
        parts = urllib.parse.urlsplit(self._url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ApiError(f"the URL must begin with https://: {self._url}")

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a GET. Raises ApiError."""
        return self.call("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that a POST of JSON is answered with; done once, however often it is tried. Raises ApiError."""
        return self.call("POST", path, body)

    def location(self, path: str) -> str:
        """Where a GET leads to. Raises ApiError where it does not lead anywhere else."""
        try:
            with self._opener.open(self._request("GET", path), timeout=TIMEOUT_SECONDS):
                raise ApiError(f"{path} leads nowhere")
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code != 303:
                    raise _refusal(answer) from None
                return answer.headers["Location"]
        except (OSError, http.client.HTTPException) as problem:
            raise ApiError(f"no answer from {self._url}: {problem}") from None

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a request is answered with. Raises ApiError."""
        request = self._request(method, path, body)
        for left in range(self._tries - 1, -1, -1):
            try:
                with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as answer:
                with answer:
                    refused = _refusal(answer)
                    if answer.code not in _LATER or not left:
                        raise refused from None
                    _wait(answer.headers.get("Retry-After"))
            except (OSError, http.client.HTTPException, ValueError) as problem:
                if not left:
                    raise ApiError(f"no answer from {self._url}: {problem}") from None
                _wait(None)
        raise AssertionError("the last try returns or raises")

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json"}
        if method == "POST":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        data = None if body is None else json.dumps(body).encode()
        return urllib.request.Request(self._url + path, data, headers, method=method)

    def job_of(self, key: str, version_id: str | None, etag: str | None = None) -> dict[str, Any] | None:
        """The job of one version of an object, or of these bytes; None while there is none."""
        for job in self.get("/v1/jobs", key=key)["items"]:
            stored = job["object"]
            if stored["version_id"] == version_id and (version_id is not None or stored["etag"] == etag):
                found: dict[str, Any] = job
                return found
        return None

    def changed_job(self, job_id: str) -> dict[str, Any]:
        """A job as soon as it changes, or as it is after some seconds."""
        job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}", wait=WAIT_SECONDS)
        return job


def _wait(retry_after: str | None) -> None:
    time.sleep(min(int(retry_after), WAIT_SECONDS) if retry_after and retry_after.isdigit() else 1)


def _refusal(answer: urllib.error.HTTPError) -> ApiError:
    body = answer.read()
    try:
        problem = json.loads(body)
        detail = str(problem.get("detail") or problem.get("title") or "")
    except (ValueError, AttributeError):
        problem, detail = None, body.decode(errors="replace")[:200]
    return ApiError(f"{answer.code} {detail}", answer.code, problem)
