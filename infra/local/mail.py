"""An SMTP server that delivers to a folder: every mail is one .eml file that a person can open.

A mail that is sent twice is one file: its name ends with a digest of its Message-ID, and starts with the time it was
first seen, so that the folder is in order.
"""

import hashlib
import time
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.local.files import write_at_once
from infra.local.processes import free_port

MAX_MAIL_BYTES = 40 * 1024 * 1024
"""What SES takes."""


def deliver(folder: Path, content: bytes) -> Path:
    """Write the mail to ``folder`` unless one with its Message-ID is there, and return its file."""
    identity = message_from_bytes(content, policy=policy.SMTP)["Message-ID"] or content
    digest = hashlib.sha256(str(identity).encode()).hexdigest()[:16]
    for present in folder.glob(f"*-{digest}.eml"):
        return present
    path = folder / f"{time.time_ns() // 1_000_000:013d}-{digest}.eml"  # milliseconds since 1970
    write_at_once(path, content)
    return path


class MailSink:
    """An SMTP server on loopback, in a thread of this process, that delivers to ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._controller: Controller | None = None

    def start(self) -> int:
        """Start listening and return the port."""
        self._folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=port, data_size_limit=MAX_MAIL_BYTES)
        self._controller.start()
        return port

    def stop(self) -> None:
        """Stop listening."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Deliver one mail, as aiosmtpd asks its handler to. Returns the SMTP answer."""
        assert isinstance(envelope.content, bytes)  # it is a str only with decode_data
        deliver(self._folder, envelope.content)
        return "250 delivered"
