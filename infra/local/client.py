"""A client of the API, for the commands of dev.py."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

TIMEOUT_SECONDS = 60
WAIT_SECONDS = 20
"""How long the API may hold an answer back until a job changes."""


class ApiError(Exception):
    """The API did not answer, or refused; the message says why."""


class ApiClient:
    """Calls the API at ``url`` with an API key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a GET. Raises ApiError."""
        url = self._url + path + ("?" + urllib.parse.urlencode(query) if query else "")
        return self._call(urllib.request.Request(url))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The JSON that a POST of JSON is answered with. Raises ApiError."""
        headers = {"Content-Type": "application/json"}
        return self._call(urllib.request.Request(self._url + path, json.dumps(body).encode(), headers))

    def call(self, method: str, path: str) -> Any:
        """The JSON of a request without a body. Raises ApiError."""
        return self._call(urllib.request.Request(self._url + path, method=method))

    def _call(self, request: urllib.request.Request) -> Any:
        request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise ApiError(f"{refused.code} {_detail(refused.read())}") from None
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise ApiError(f"no answer from {self._url}: {problem}") from None

    def job_of(self, key: str, version_id: str) -> dict[str, Any] | None:
        """The job of one version of an object, or None while there is none."""
        for job in self.get("/v1/jobs", key=key)["items"]:
            if job["object"]["version_id"] == version_id:
                found: dict[str, Any] = job
                return found
        return None

    def changed_job(self, job_id: str) -> dict[str, Any]:
        """A job as soon as it changes, or as it is after some seconds."""
        job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}", wait=WAIT_SECONDS)
        return job


def _detail(body: bytes) -> str:
    try:
        problem = json.loads(body)
        return str(problem.get("detail") or problem.get("title") or "")
    except (ValueError, AttributeError):
        return body.decode(errors="replace")[:200]
