import smtplib
from email.message import EmailMessage
from pathlib import Path

from infra.local.mail import MailSink, deliver


def mail(message_id: str, text: str = "hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "a@example.com", "b@example.com"
    message["Subject"], message["Message-ID"] = "Grüße", message_id
    message.set_content(text)
    return message


def test_a_mail_sent_by_smtp_is_one_readable_file(tmp_path: Path) -> None:
    sink = MailSink(tmp_path)
    port = sink.start()
    try:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(mail("<1@example.com>"))
            client.send_message(mail("<2@example.com>", "x" * 2_000_000))
    finally:
        sink.stop()
    first, second = sorted(tmp_path.iterdir())
    assert b"hello" in first.read_bytes()
    assert second.stat().st_size > 2_000_000
    assert {file.suffix for file in (first, second)} == {".eml"}


def test_the_same_message_id_twice_is_one_file(tmp_path: Path) -> None:
    first = deliver(tmp_path, mail("<1@example.com>").as_bytes())
    again = deliver(tmp_path, mail("<1@example.com>").as_bytes())
    other = deliver(tmp_path, mail("<2@example.com>").as_bytes())
    assert first == again
    assert sorted(tmp_path.iterdir()) == sorted([first, other])
