"""Fetch: a job's object is brought into the input folder, from a web server or from elsewhere in S3.

The job is there before its object is. Whoever first learns that the object has come (S3's announcement, or this
service, which looks for it) gives it to the job that waits for that key: no second job can arise, and a message too
many finds nothing to do.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import UUID

from chalicelib.config import Settings
from chalicelib.core.addresses import Url
from chalicelib.core.targets import S3Target, parse_target
from chalicelib.errors import FileRefused, Transient, UrlRefused
from chalicelib.services.fetch_ports import FetchJob, FetchLedger, InputStore
from chalicelib.services.finalise import Finalise
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.ports import Datasets, ObjectStore, Queues, Reason, Remaining
from chalicelib.services.split import Split
from chalicelib.services.telemetry import current, note
from chalicelib.services.web_ports import Answer, Web

log = logging.getLogger("dropload.fetch")

MOST_ATTEMPTS = 5
_LEASE = 960.0  # seconds: longer than any invocation, so that no two workers fetch the same file at once
_LEFT_OVER = 60.0  # seconds of an invocation that are not for the file
_REDIRECTS = 5
_LOOK_EVERY = 15.0  # seconds between looks whether the file is still wanted
_WORTH_ANOTHER_TRY = (408, 425, 429)
_EXHAUSTED = Reason("exhausted", "we tried several times and could not fetch this file", "transient")


class _Unwanted(Exception):
    """The job was cancelled, or has ended, while its file was on its way."""


class Fetch:
    """Memory does not grow with the file: it goes from the one server to the other in parts."""

    def __init__(
        self,
        *,
        fetches: FetchLedger,
        ledger: Ledger,
        inputs: InputStore,
        objects: ObjectStore,
        queues: Queues,
        web: Web,
        datasets: Datasets,
        settings: Settings,
        split: Split,
        finalise: Finalise,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetches = fetches
        self._ledger = ledger
        self._inputs = inputs
        self._objects = objects
        self._queues = queues
        self._web = web
        self._datasets = datasets
        self._settings = settings
        self._split = split
        self._finalise = finalise
        self._clock = clock

    def run(self, id: UUID, remaining: Remaining) -> None:
        """Bring the job's object and have it split, or fail the job; ``remaining`` tells the seconds left.

        Raises:
            Transient: the other server, S3 or the database did not answer. At the fifth time the job fails, instead.
        """
        fetch = self._fetches.begin(id, _LEASE)
        if fetch is None:
            return
        note(dataset=fetch.job.dataset)
        try:
            if fetch.attempts > _most(fetch):
                self._give_up(fetch, _EXHAUSTED)
                return
            self._bring(fetch, remaining)
        except (FileRefused, UrlRefused) as refused:
            self._give_up(fetch, Reason(refused.code, refused.message, "file"))
        except _Unwanted:
            log.info("the file of job %s is not wanted any more", id)
        except Exception:
            if fetch.attempts < _most(fetch):
                self._fetches.release(fetch.job)
                with suppress(Transient):  # it is on the receipt, if the database answers
                    self._ledger.worked(fetch.job, current().book())
                raise
            log.exception("the file of job %s could not be fetched", id)
            self._give_up(fetch, _EXHAUSTED)

    def _bring(self, fetch: FetchJob, remaining: Remaining) -> None:
        job = fetch.job
        if self._inputs.find(job.object.key) is None:  # a worker may have died when all was done but the rest of this
            target = parse_target(fetch.source)
            if isinstance(target, S3Target):
                self._copy(target, job.object.key, self._limit(job.dataset))
            else:
                self._download(fetch, target, remaining)
        self._split.open(self._objects.stat(job.object.key), validate_only=job.validate_only)
        self._fetches.forget(job)
        self._ledger.worked(job, current().book())
        self._queues.send_split(job.id)  # S3 announces it, too; whoever comes second finds the job at work

    def _copy(self, target: S3Target, key: str, limit: int) -> None:
        source = self._inputs.look(target)
        _refuse_larger(source.size, limit)
        self._inputs.copy(source, key)

    def _download(self, fetch: FetchJob, url: Url, remaining: Remaining) -> None:
        seconds = min(float(self._settings.fetch_seconds), remaining() - _LEFT_OVER)
        ends = self._clock() + seconds
        try:
            with self._web.open(fetch.source, seconds=seconds, redirects=_REDIRECTS) as answer:
                _refuse_status(answer.status, url.host)
                limit = self._limit(fetch.job.dataset)
                self._objects.write(
                    fetch.job.object.key, self._chunks(fetch, answer, limit), "application/octet-stream"
                )
        except Transient as trouble:
            if trouble.code == "web-timeout" and self._clock() >= ends:
                raise FileRefused("too-slow", f"{url.host} did not send the file in {seconds:.0f} seconds") from None
            raise

    def _chunks(self, fetch: FetchJob, answer: Answer, limit: int) -> Iterator[bytes]:
        length = answer.headers.get("content-length", "")
        if length.isascii() and length.isdigit():
            _refuse_larger(int(length[:20]), limit)
        size, look_at = 0, self._clock() + _LOOK_EVERY
        for chunk in answer.chunks(self._settings.chunk_bytes):
            size += len(chunk)
            _refuse_larger(size, limit)
            if self._clock() >= look_at:
                if not self._fetches.is_wanted(fetch.job):
                    raise _Unwanted
                look_at = self._clock() + _LOOK_EVERY
            yield chunk

    def _limit(self, dataset: str) -> int:
        """How many bytes a file for this dataset may have."""
        known = self._datasets.get(dataset)
        own = None if known is None else known.max_file_bytes
        return self._settings.fetch_bytes if own is None else min(own, self._settings.fetch_bytes)

    def _give_up(self, fetch: FetchJob, reason: Reason) -> None:
        """Fail the job; for a passing reason it may be tried again, as any other job is."""
        self._ledger.end_split(fetch.job, reason)
        self._finalise.run(fetch.job.id)
        self._fetches.release(fetch.job)
        self._fetches.forget(fetch.job)


def _most(fetch: FetchJob) -> int:
    """How many attempts there may have been: so many each time that the job itself is tried."""
    return MOST_ATTEMPTS * (fetch.job.attempts + 1)


def _refuse_larger(size: int, limit: int) -> None:
    if size > limit:
        raise FileRefused("byte-count", f"the file has more than the {limit} bytes that may be fetched")


def _refuse_status(status: int, host: str) -> None:
    if status == 200:
        return
    if status >= 500 or status in _WORTH_ANOTHER_TRY:
        raise Transient("web-trouble", f"{host} answered {status}")
    raise FileRefused("fetch-refused", f"{host} answered {status}")
