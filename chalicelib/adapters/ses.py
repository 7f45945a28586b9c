"""SES: plain text mail, built by the standard library so that no header can be smuggled in."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from chalicelib.adapters.aws import calling, client


class SesMailer:
    """See ``services.ports.Mailer``."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    def send(self, *, to: Sequence[str], subject: str, text: str, message_id: str) -> None:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = ", ".join(to)
        message["Subject"] = subject
        message["Message-ID"] = message_id
        message["X-Dropload-Notice"] = message_id  # SES puts a Message-ID of its own
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        with calling("sending mail"):
            client("ses").send_raw_email(
                Source=self._sender, Destinations=list(to), RawMessage={"Data": message.as_bytes()}
            )
