"""Notify with a clock of the test's own, at the pace of a deployment, and a record of the mails that SES took."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chalicelib.adapters.ses import SesMailer
from chalicelib.adapters.sqs import SqsQueues
from chalicelib.bootstrap import Container
from chalicelib.services.notify import Notify
from tests.system import System, forever


@dataclass(frozen=True)
class Mail:
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str


class Mailer(SesMailer):
    """SES; ``before`` and ``after`` may raise, given the subject."""

    def __init__(self, sender: str) -> None:
        super().__init__(sender)
        self.taken: list[Mail] = []
        self.before: Callable[[str], None] = lambda subject: None
        self.after: Callable[[str], None] = lambda subject: None

    def send(self, *, to: Sequence[str], subject: str, text: str, html: str, message_id: str) -> None:
        self.before(subject)
        super().send(to=to, subject=subject, text=text, html=html, message_id=message_id)
        self.taken.append(Mail(tuple(to), subject, text, html, message_id))
        self.after(subject)


class Queues(SqsQueues):
    """SQS, remembering the messages that are held back."""

    delays: list[int]

    def send_notify(self, delay: int = 0) -> None:
        if delay:
            self.delays.append(delay)
        else:
            super().send_notify()


class Office:
    """The sender's side of a system."""

    def __init__(self, system: System) -> None:
        settings = replace(system.settings, mail_settle_seconds=30, mail_window_seconds=900)
        container = Container(settings)
        self.system = System(settings, container)
        self.now = datetime.now(UTC)
        self.mailer = Mailer(settings.mail_from)
        self.queues = Queues(settings)
        self.queues.delays = []
        container.__dict__["queues"] = self.queues
        self._notify = Notify(
            post=container.post,
            mailer=self.mailer,
            topic=None,
            queues=self.queues,
            datasets=container.datasets,
            settings=settings,
            clock=lambda: self.now,
        )

    def run(self, at: datetime | None = None, **passed: float) -> list[str]:
        """The subjects of the mails that go out at this time, or so much later than now."""
        self.now = at or datetime.now(UTC) + timedelta(**passed)
        before = len(self.mailer.taken)
        self._notify.run(forever)
        return [mail.subject for mail in self.mailer.taken[before:]]
