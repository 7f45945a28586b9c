"""What Lambda does with our queues: workers that take messages, and leave to the queue what they failed on."""

import threading
import time
from collections import Counter
from typing import Any

from chalicelib.adapters.aws import client
from chalicelib.services.ports import Delivery
from chalicelib.services.retries import Retries
from tests.system import System

PATIENCE = 90.0
FIRST_WAIT = 1.0  # in place of half a minute, so that a test need not take that long


class Workers:
    """Some workers of a system, from the start of a block to its end. ``failures`` counts errors by their type."""

    def __init__(self, system: System, count: int = 3) -> None:
        self.failures: Counter[str] = Counter()
        self._system = system
        self._retries = Retries(queues=system.container.queues, first=FIRST_WAIT)
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]

    def __enter__(self) -> "Workers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._done.is_set():
            for queue in self._system.handlers:
                self._take_one(queue)
            self._done.wait(0.02)

    def _take_one(self, queue: str) -> None:
        sqs = client("sqs")
        try:
            answer = sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=1, MessageSystemAttributeNames=["ApproximateReceiveCount"]
            )
            for message in answer.get("Messages", ()):
                self._handle(queue, message)
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        except Exception as error:  # as Lambda does: the message stays, whatever it was
            self.failures[type(error).__name__] += 1

    def _handle(self, queue: str, message: dict[str, Any]) -> None:
        receives = int(message["Attributes"]["ApproximateReceiveCount"])
        arn = f"arn:aws:sqs:us-east-1:000000000000:{queue.rpartition('/')[2]}"
        with self._retries.of(Delivery(arn, message["ReceiptHandle"], receives)):
            self._system.handlers[queue](message["Body"])


def seconds_until_ended(system: System, jobs: int) -> float:
    """How long it takes from now on until there are so many jobs, and all have ended and told of it."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        query = """select count(*) filter (where finished_at is not null), count(*),
                          (select count(*) from dropload.outbox where sent_at is null and given_up_at is null)
                   from dropload.job"""
        if system.rows(query) == [(jobs, jobs, 0)]:
            return time.monotonic() - began
        time.sleep(0.05)
    states = system.rows("select state, count(*) from dropload.job group by state")
    raise AssertionError(f"not all of {jobs} jobs have ended: {states}")
