"""SES: mail as plain text and as HTML, built by the standard library so that no header can be smuggled in."""

from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

from botocore.exceptions import ClientError

from chalicelib.adapters.aws import calling, client, error_code
from chalicelib.errors import Terminal

# What SES says of a mail that it will not take, however often it is sent: of its addresses, or of its sender.
_REFUSALS = {"MessageRejected", "InvalidParameterValue", "InvalidParameter", "MailFromDomainNotVerifiedException"}


class SesMailer:
    """See ``services.post_ports.Mailer``."""

    def __init__(self, sender: str) -> None:
        self._sender = sender

    def send(self, *, to: Sequence[str], subject: str, text: str, html: str, message_id: str) -> None:
        data = mime(self._sender, to, subject, text, html, message_id)
        with calling("sending mail"):
            try:
                client("ses").send_raw_email(Source=self._sender, Destinations=list(to), RawMessage={"Data": data})
            except ClientError as error:
                if error_code(error) in _REFUSALS:
                    raise Terminal("mail-refused", f"sending mail: {error_code(error)}") from None
                raise


def mime(sender: str, to: Sequence[str], subject: str, text: str, html: str, message_id: str) -> bytes:
    """The mail as it goes over the wire: who can only read text gets text, all others the HTML."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _literal(", ".join(to))
    message["Subject"] = _literal(subject)
    message["Message-ID"] = message_id
    message["X-Dropload-Notice"] = message_id  # SES puts a Message-ID of its own
    message["References"] = message_id  # so a mail that was sent twice is one conversation all the same
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def _literal(value: str) -> str:
    """A header's value without what looks like encoded words (RFC 2047): these would be decoded, line ends and all."""
    return value.replace("=?", "= ?")
