"""Notify: send what the outbox holds."""

import logging

from chalicelib.config import Settings
from chalicelib.core.letter import compose
from chalicelib.errors import Transient
from chalicelib.services.ledger_ports import Ledger
from chalicelib.services.metrics import Metric
from chalicelib.services.ports import Datasets, Mailer, Notice, Queues, Remaining
from chalicelib.services.telemetry import SILENT, Meter

_ENOUGH = 25.0  # seconds that the next mail may take; with fewer, the rest is left to another invocation
log = logging.getLogger("dropload.notify")


class Notify:
    """Each notice is sent under a lock on its row and marked in the same transaction.

    Killed between the mail service's answer and the commit it is sent again, under the same id: no mail service can
    tell us whether it took a mail. Never zero times, and never by two senders at once.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        mailer: Mailer,
        queues: Queues,
        datasets: Datasets,
        settings: Settings,
        meter: Meter = SILENT,
    ) -> None:
        self._meter = meter
        self._ledger = ledger
        self._queues = queues
        self._mailer = mailer
        self._datasets = datasets
        self._settings = settings

    def run(self, remaining: Remaining) -> int:
        """Send all that is due, or as much as there are seconds for; the number sent.

        Raises:
            Transient: some could not be sent. They stay in the outbox, due again later, and hold up no other.
        """
        sent, failed = 0, 0
        while (outcome := self._send_next()) is not None:
            sent, failed = (sent + 1, failed) if outcome else (sent, failed + 1)
            if remaining() < _ENOUGH:
                self._queues.send_notify()
                break
        if sent or failed:
            self._meter.report("notices", {Metric.NOTICES_SENT: sent, Metric.NOTICES_FAILED: failed})
        if failed:
            raise Transient("mail-trouble", f"{failed} of {sent + failed} notices could not be sent")
        return sent

    def _send_next(self) -> bool | None:
        """Whether the next notice could be sent; None when none is due."""
        notice = None
        try:
            with self._ledger.sending() as notice:
                if notice is None:
                    return None
                self._send(notice)
        except Exception:
            if notice is None:
                raise  # it was not the mail
            log.exception("notice %s cannot be sent", notice.number)
            self._ledger.postpone(notice)
            return False
        return True

    def _send(self, notice: Notice) -> None:
        dataset = self._datasets.get(notice.job["dataset"])
        owners = dataset.owners if dataset is not None else ()
        to = owners if notice.audience == "owners" and owners else self._settings.engineers
        letter = compose(notice.job, notice.lines, self._settings.public_url)
        message_id = f"<{notice.job['id']}.{notice.audience}.{notice.number}@dropload>"
        self._mailer.send(to=to, subject=letter.subject, text=letter.text, message_id=message_id)
