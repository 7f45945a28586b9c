"""Deliver: tell webhooks what happened, again and again until they have it."""

import logging
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from chalicelib.core.backoff import is_hopeless, pause_after, retry_after
from chalicelib.core.news import TEST, Event, render
from chalicelib.core.signing import derive_secret, sign
from chalicelib.errors import Transient, UrlRefused
from chalicelib.services.changes import MOST_IDS, next_link
from chalicelib.services.clock import utc_now
from chalicelib.services.ports import Queues, Remaining
from chalicelib.services.web_ports import Web
from chalicelib.services.webhook_ports import Attempt, Changes, Due, Outcome, Outgoing, SecretKey

log = logging.getLogger("dropload.deliver")

LANES = 32  # endpoints that are talked to at once
TIMEOUT = 15.0  # seconds that an endpoint has to take a delivery and to answer
_ENOUGH = 25.0  # seconds that must be left for another delivery and its books
_LEASE = 60.0  # seconds after which a delivery is not believed to be under way any more
_PAGES = 10  # of a job's changed rows that are told; the rest is to be asked for
_LONG_DELAY = 900  # seconds, the longest that a queue keeps a message back
_BACK_AFTER = 600.0  # seconds without any success after which a success is news
_LOOK_EVERY = 1.0  # seconds after which to look for more, however long the deliveries under way take
_KEPT_DAYS = 30
_USER_AGENT = "dropload-webhooks/1"


class Deliver:
    """At least once: a delivery is booked after it was answered, and made again by whoever finds that it was not.

    One at a time to each endpoint, and to many endpoints at once: a slow one keeps only itself waiting, and one that
    fails is left alone for a while, so that it costs next to nothing. All times are in the ledger; a message on the
    queue says no more than that somebody should look.
    """

    def __init__(
        self,
        *,
        outgoing: Outgoing,
        changes: Changes,
        web: Web,
        queues: Queues,
        key: SecretKey,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime] = utc_now,
        luck: Callable[[], float] = random.random,
    ) -> None:
        self._outgoing = outgoing
        self._changes = changes
        self._web = web
        self._queues = queues
        self._key = key
        self._new_id = new_id
        self._clock = clock
        self._luck = luck

    def run(self, remaining: Remaining) -> int:
        """Make all deliveries that are due, or as many as there are seconds for; how many attempts were made.

        Raises:
            Transient, Terminal: trouble of ours. That of an endpoint is booked, and no error.
        """
        attempts = 0
        lease, key = self._new_id(), self._key()  # before anything is claimed: that there is none is nobody's failure
        under_way: dict[Future[Attempt], Due] = {}
        more = True
        with ThreadPoolExecutor(LANES) as lanes:
            while True:
                hurried = remaining() <= _ENOUGH
                if not hurried:
                    more = self._prepare()
                    for due in self._outgoing.claim(lease, LANES - len(under_way), _LEASE, self._clock()):
                        under_way[lanes.submit(self._attempt, due, key)] = due
                if not under_way and (hurried or not more):
                    break
                patience = 0.0 if more and not hurried else _LOOK_EVERY
                done, _ = wait(under_way, timeout=patience, return_when=FIRST_COMPLETED)
                if done:
                    self._book(lease, [self._outcome(under_way.pop(each), each.result()) for each in done])
                    attempts += len(done)
        self._outgoing.forget(self._clock(), _KEPT_DAYS)
        if more:
            self._queues.send_webhooks()
        self._see_that_it_goes_on()
        return attempts

    def _prepare(self) -> bool:
        """Turn some of what happened into deliveries; False where that was all.

        A little at a time: what is under way meanwhile is to be booked before its lease ends.
        """
        collected = self._outgoing.collect(MOST_IDS)
        looked_up = self._look_up_changes()
        return self._outgoing.spread(self._clock()) or collected or looked_up

    def _look_up_changes(self) -> bool:
        with self._outgoing.changed() as found:
            if found is None:
                return False
            changed, tell = found
            below: int | None = None
            for page in range(1, _PAGES + 1):
                ids, below = self._changes.ids(changed.job, changed.dataset, below, MOST_IDS)
                last = below is None or page == _PAGES
                link = next_link(changed.job, below) if last and below is not None else None
                data = {"job": str(changed.job), "dataset": changed.dataset, "ids": ids, "page": page, "next": link}
                if ids or link:
                    tell(render(Event.RECORDS_CHANGED, changed.at, data))
                if last:
                    break
            return True

    def _attempt(self, due: Due, key: bytes) -> Attempt:
        at, started = self._clock(), time.monotonic()
        status, error = None, None
        try:
            status = self._post(due, key, int(at.timestamp()))
            error = None if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "status"
        except UrlRefused as refused:
            error = refused.code
        except Transient as trouble:
            log.info("webhook %s cannot be reached: %s", due.webhook_id, trouble.message)
            error = "timeout" if trouble.code == "web-timeout" else "unreachable"
        return Attempt(at, status, error, ceil((time.monotonic() - started) * 1000))

    def _post(self, due: Due, key: bytes, timestamp: int) -> int:
        """The status of the answer, of which nothing else is read."""
        body = due.payload.encode()
        secrets = [derive_secret(key, due.webhook_id, salt) for salt in due.salts]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "webhook-id": str(due.id),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secrets, str(due.id), timestamp, body),
        }
        with self._web.open(due.url, method="POST", headers=headers, body=body, seconds=TIMEOUT) as answer:
            return answer.status

    def _outcome(self, due: Due, attempt: Attempt) -> Outcome:
        now = self._clock()
        failing_for = (now - (due.failing_since or now)).total_seconds()
        if attempt.error is None:
            return Outcome(due, attempt, "delivered", back=failing_for > _BACK_AFTER)
        if attempt.status == 410:
            return Outcome(due, attempt, "failed", disabled="gone")
        failures = due.failures + 1
        waited = (now - (due.first_at or now)).total_seconds()
        delay = None if due.event == TEST else retry_after(due.attempts + 1, waited, self._luck())
        return Outcome(
            due,
            attempt,
            "failed" if delay is None else "pending",
            due_at=None if delay is None else now + timedelta(seconds=delay),
            paused_until=now + timedelta(seconds=pause_after(failures)),
            disabled="failing" if is_hopeless(failures, failing_for) else None,
        )

    def _book(self, lease: UUID, outcomes: Iterable[Outcome]) -> None:
        booked = list(outcomes)
        self._outgoing.book(lease, booked, self._clock())
        for outcome in booked:
            if outcome.disabled is not None:
                log.error("webhook %s was disabled: %s", outcome.due.webhook_id, outcome.disabled)

    def _see_that_it_goes_on(self) -> None:
        now = self._clock()
        at = self._outgoing.wake_at(now, now + timedelta(seconds=_LONG_DELAY))
        if at is not None:
            self._queues.send_webhooks(delay=min(ceil((at - now).total_seconds()), _LONG_DELAY))
