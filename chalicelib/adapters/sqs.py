"""SQS: messages that carry ids and nothing else."""

import json
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chalicelib.adapters.aws import calling, client
from chalicelib.config import Settings
from chalicelib.errors import Transient
from chalicelib.services.ports import Delivery

log = logging.getLogger("dropload.sqs")

_AT_ONCE = 10  # messages in one request


class SqsQueues:
    """See ``services.ports.Queues``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send_batches(self, id: UUID, numbers: Sequence[int]) -> None:
        messages = [{"job": str(id), "batch": number} for number in numbers]
        for start in range(0, len(messages), _AT_ONCE):
            _send(self._settings.batch_queue, messages[start : start + _AT_ONCE])

    def send_split(self, id: UUID) -> None:
        _send(self._settings.intake_queue, [{"job": str(id)}])

    def send_convert(self, id: UUID) -> None:
        _send(self._settings.convert_queue, [{"job": str(id)}])

    def send_notify(self, delay: int = 0) -> None:
        _send(self._settings.notify_queue, [{}], delay)

    def send_export(self, id: UUID) -> None:
        _send(self._settings.export_queue, [{"export": str(id)}])

    def send_erase(self, id: UUID) -> None:
        _send(self._settings.batch_queue, [{"erase": str(id)}])

    def send_undo(self, id: UUID) -> None:
        _send(self._settings.batch_queue, [{"undo": str(id)}])

    def send_fetch(self, id: UUID) -> None:
        _send(self._settings.fetch_queue, [{"job": str(id)}])

    def send_webhooks(self, delay: int = 0) -> None:
        _send(self._settings.webhook_queue, [{}], delay)

    def hide(self, delivery: Delivery, seconds: int) -> None:
        settings = self._settings
        urls = (
            settings.intake_queue,
            settings.batch_queue,
            settings.convert_queue,
            settings.notify_queue,
            settings.export_queue,
            settings.fetch_queue,
            settings.webhook_queue,
        )
        name = delivery.queue.rpartition(":")[2]
        url = next((url for url in urls if url.rpartition("/")[2] == name), None)
        if url is None:
            return  # the dead letters: nothing is urgent there
        try:
            with calling("putting a message off"):
                client("sqs").change_message_visibility(
                    QueueUrl=url, ReceiptHandle=delivery.receipt, VisibilityTimeout=seconds
                )
        except Transient:
            log.warning("a message cannot be put off; it comes back in its queue's own time")

    def ping(self) -> None:
        """Raises Transient when the queues cannot be reached."""
        with calling("looking at the queues"):
            client("sqs").get_queue_attributes(QueueUrl=self._settings.batch_queue, AttributeNames=["QueueArn"])


def _send(queue: str, messages: Sequence[dict[str, Any]], delay: int = 0) -> None:
    entries = [
        {"Id": str(at), "MessageBody": json.dumps(message), "DelaySeconds": delay}
        for at, message in enumerate(messages)
    ]
    with calling("sending messages"):
        answer = client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)
    if answer.get("Failed"):
        raise Transient("aws-trouble", f"sending messages: {len(answer['Failed'])} of {len(entries)} were refused")
