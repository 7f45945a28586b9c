"""Notify: send what the outbox holds, many notices in one letter, and tell the topic of each job that ended."""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from chalicelib.config import Settings
from chalicelib.core.daily import DayReport, OursReport, compose_day, compose_ours
from chalicelib.core.digest import Pace, Pile, compose_pile, due
from chalicelib.core.events import job_ended
from chalicelib.core.late import compose_late
from chalicelib.core.letter import compose
from chalicelib.core.mailtext import Letter
from chalicelib.errors import Transient
from chalicelib.services.clock import utc_now
from chalicelib.services.metrics import Metric
from chalicelib.services.ports import Datasets, Queues, Remaining
from chalicelib.services.post_ports import Content, JobEvent, Mailer, OneJob, Outgoing, Post, Topic
from chalicelib.services.telemetry import SILENT, Meter

_ENOUGH = 25.0  # seconds that the next mail may take; with fewer, the rest is left to another invocation
_ATTEMPTS = 10  # of what is refused: with the time between them, most of a day
_LONGEST_DELAY = 900  # seconds that a message may be held back; the sweep sees to what is due later
log = logging.getLogger("dropload.notify")
Due = TypeVar("Due", Outgoing, JobEvent)


class Notify:
    """Each letter and each event is sent under a lock on its row, and marked in the same transaction.

    Killed between the mail service's answer and the commit it is sent again, under the same id: no mail service can
    tell us whether it took a mail. Never zero times, and never by two senders at once. What a letter is about is
    fixed before it is sent.
    """

    def __init__(
        self,
        *,
        post: Post,
        mailer: Mailer,
        topic: Topic | None,
        queues: Queues,
        datasets: Datasets,
        settings: Settings,
        meter: Meter = SILENT,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._meter = meter
        self._post = post
        self._queues = queues
        self._mailer = mailer
        self._topic = topic
        self._datasets = datasets
        self._settings = settings
        self._clock = clock
        settle, window = settings.mail_settle_seconds, settings.mail_window_seconds
        self._pace = Pace(timedelta(seconds=settle), timedelta(seconds=window))

    def run(self, remaining: Remaining) -> int:
        """Send all that is due, or as much as there are seconds for; the number of letters and events sent.

        Raises:
            Transient: some could not be sent. They stay in the outbox, due again later, and hold up no other.
        """
        self._close_letters()
        sent, failed = 0, 0
        for outcome in self._outcomes():
            sent, failed = (sent + 1, failed) if outcome else (sent, failed + 1)
            if remaining() < _ENOUGH:
                self._queues.send_notify()
                break
        if sent or failed:
            self._meter.report("notices", {Metric.NOTICES_SENT: sent, Metric.NOTICES_FAILED: failed})
        if failed:
            raise Transient("mail-trouble", f"{failed} of {sent + failed} notices could not be sent")
        return sent

    def _close_letters(self) -> None:
        """Close letters whose time has come, and see that somebody looks at the others when theirs has."""
        now = self._clock()
        with self._post.gathering() as gathering:
            for letter in gathering.letters:
                at = due(letter.oldest, letter.newest, letter.last, self._pace)
                if at <= now:
                    gathering.close(letter, now)
                elif letter.wakes_at is None or letter.wakes_at <= now:
                    # One message a letter, not one for each notice in it. Should it get lost, the sweep sends another.
                    seconds = min(math.ceil((at - now).total_seconds()), _LONGEST_DELAY)
                    gathering.wake(letter, now + timedelta(seconds=seconds))
                    self._queues.send_notify(seconds)

    def _outcomes(self) -> Iterator[bool]:
        """For each event, and then each letter, that is due: whether it could be sent."""
        if self._topic is None:
            self._post.give_up_events(self._clock())
        else:
            publish = partial(self._publish, self._topic)
            while (outcome := self._next(self._post.publishing(self._clock()), publish)) is not None:
                yield outcome
        while (outcome := self._next(self._post.sending(self._clock()), self._send)) is not None:
            yield outcome

    def _next(self, taking: AbstractContextManager[Due | None], send: Callable[[Due], None]) -> bool | None:
        """Whether the next one could be sent; None when none is due."""
        taken = None
        try:
            with taking as taken:
                if taken is None:
                    return None
                send(taken)
        except Exception as trouble:
            if taken is None:
                raise  # it was not the mail
            given_up = not isinstance(trouble, Transient) and taken.attempts + 1 >= _ATTEMPTS
            ending = ", and is given up" if given_up else ""
            log.exception("%s %s cannot be sent%s", type(taken).__name__, taken.number, ending)
            self._post.postpone(taken, self._clock(), given_up=given_up)
            return False
        return True

    def _publish(self, topic: Topic, event: JobEvent) -> None:
        topic.publish(job_ended(event.number, event.job, self._settings.public_url))

    def _send(self, outgoing: Outgoing) -> None:
        if outgoing.content is None:
            return
        dataset = self._datasets.get(outgoing.dataset)
        owners = dataset.owners if dataset is not None else ()
        to = owners if outgoing.audience == "owners" and owners else self._settings.engineers
        letter = self._composed(outgoing.content)
        self._mailer.send(
            to=to, subject=letter.subject, text=letter.text, html=letter.html, message_id=f"<{outgoing.id}@dropload>"
        )

    def _composed(self, content: Content) -> Letter:
        url = self._settings.public_url
        match content:
            case OneJob():
                return compose(content.job, content.lines, url)
            case Pile():
                return compose_pile(content, url)
            case DayReport():
                return compose_day(content, url)
            case OursReport():
                return compose_ours(content, url)
            case _:
                return compose_late(content, self._settings.bucket, url)
