"""The services on a real database, S3 and SQS, with the test as the one who delivers messages.

What the Lambdas' triggers do on AWS, ``pump`` does here: it takes messages from the queues and hands each to the
handler that its queue is for. So a test decides what is delivered, how often, in which order and by whom.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg2

from chalicelib.adapters.aws import client
from chalicelib.adapters.events import objects_created
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.services.ports import StoredObject

FOREVER = 900.0
_ANNOUNCED_WITHIN = 3.0
MEMBERS = "first_name,last_name,phone_number,client_member_id,account_id\n"


def forever() -> float:
    """Seconds left of an invocation that has all its time."""
    return FOREVER


@dataclass
class System:
    """One bucket with its queues and one database, and the services on them."""

    settings: Settings
    container: Container

    @property
    def database_url(self) -> str:
        assert self.settings.database_url is not None
        return self.settings.database_url

    @classmethod
    def create(
        cls, database_url: str, *, versioned: bool = True, visibility_seconds: int = 30, **changes: Any
    ) -> "System":
        """Make bucket, queues and tables. AWS is found through the environment's ``AWS_*`` variables."""
        name = f"t-{uuid.uuid4().hex[:12]}"
        sqs, s3 = client("sqs"), client("s3")
        queues = {}
        for queue in ("intake", "batches", "convert", "notify", "export", "fetch", "webhooks"):
            attributes = {"VisibilityTimeout": str(visibility_seconds)}
            queues[queue] = sqs.create_queue(QueueName=f"{name}-{queue}", Attributes=attributes)["QueueUrl"]
        s3.create_bucket(Bucket=name)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        arn = sqs.get_queue_attributes(QueueUrl=queues["intake"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = {
            "QueueArn": arn,
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "input/"}]}},
        }
        s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"QueueConfigurations": [rule]})
        for _, delete in _received(queues["intake"]):
            delete()  # what S3 sends to try a queue
        client("ses").verify_email_identity(EmailAddress="dropload@example.com")
        settings = Settings(
            bucket=name,
            intake_queue=queues["intake"],
            batch_queue=queues["batches"],
            convert_queue=queues["convert"],
            notify_queue=queues["notify"],
            export_queue=queues["export"],
            fetch_queue=queues["fetch"],
            webhook_queue=queues["webhooks"],
            database_url=database_url,
            database_secret_arn=None,
            mail_from="dropload@example.com",
            engineers=("engineers@example.com",),
            public_url="http://127.0.0.1:8000",
            mail_settle_seconds=0,
            mail_window_seconds=0,
            webhook_key="of which the tests make webhooks' secrets",
            max_attempts=1,  # what fails has failed, unless a test asks for patience
        )
        settings = replace(settings, **changes)
        system = cls(settings, Container(settings))
        system.container.schema.apply()
        return system

    def drop(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None, *, announced: bool = True) -> None:
        """Put an object; an announcement of it that is to be expected is on the intake queue when this returns."""
        awaited = announced and key.startswith("input/")
        before = self._held(self.settings.intake_queue)
        client("s3").put_object(Bucket=self.settings.bucket, Key=key, Body=data, Metadata=dict(metadata or {}))
        deadline = time.monotonic() + _ANNOUNCED_WITHIN
        while awaited and self._held(self.settings.intake_queue) == before and time.monotonic() < deadline:
            time.sleep(0.01)

    def load(
        self, data: bytes, *, key: str = "input/members/file.csv", metadata: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Drop a file, deliver until nothing is left, and return its job."""
        self.drop(key, data, metadata)
        self.pump()
        return self.job(key)

    def split(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> list[str]:
        """Drop a file and split it; the messages of its batches, taken from their queue, in the batches' order."""
        self.drop(key, data, metadata)
        while not self.deliver(self.settings.intake_queue):
            pass
        bodies = []
        for body, delete in self.receive(self.settings.batch_queue):
            bodies.append(body)
            delete()
        return sorted(bodies, key=lambda body: int(json.loads(body)["batch"]))

    def job(self, key: str) -> dict[str, Any]:
        """The newest job of a key, as the API shows it."""
        return self.container.views.jobs(key=key, limit=1)[0]

    def rejections(self, job: Mapping[str, Any]) -> list[dict[str, Any]]:
        return self.container.views.rejections(uuid.UUID(job["id"]), (-1, 0), 100_000)

    def rows(self, query: str, *args: Any) -> list[tuple[Any, ...]]:
        """What a query says, in a connection of its own; committed."""
        connection = psycopg2.connect(self.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, args or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def file(self, key: str) -> bytes:
        """An object of the bucket."""
        body: bytes = client("s3").get_object(Bucket=self.settings.bucket, Key=key)["Body"].read()
        return body

    def objects(self, prefix: str) -> list[str]:
        """The keys under a prefix."""
        listed = client("s3").list_objects_v2(Bucket=self.settings.bucket, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def rejected_csv(self, job: Mapping[str, Any]) -> bytes:
        return self.file(f"error/{job['dataset']}/job={job['id']}/rejected.csv")

    @property
    def handlers(self) -> dict[str, Callable[[str], object]]:
        """What app.py does with a message of each queue."""
        intake = self.container.intake
        return {
            self.settings.intake_queue: lambda body: intake.split(body, forever),
            self.settings.convert_queue: lambda body: intake.convert(body, forever),
            self.settings.batch_queue: lambda body: intake.load(body, forever),
            self.settings.notify_queue: lambda body: self.container.notify.run(forever),
            self.settings.export_queue: lambda body: intake.export(body, forever),
            self.settings.fetch_queue: lambda body: intake.fetch(body, forever),
            self.settings.webhook_queue: lambda body: self.container.deliver.run(forever),
        }

    def receive(self, queue: str) -> Iterator[tuple[str, Callable[[], object]]]:
        """(body, delete) of each message that is there now."""
        return _received(queue)

    def _held(self, queue: str) -> int:
        """How many messages a queue holds, those that somebody works on among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def announced(self) -> list[StoredObject]:
        """The objects that the intake queue announces, taken from it as soon as there are any."""
        while not (bodies := [body for body, _ in self.receive(self.settings.intake_queue)]):
            time.sleep(0.05)
        return [stored for body in bodies for stored in objects_created(body)]

    def deliver(self, queue: str, times: int = 1) -> list[str]:
        """Hand each message that a queue holds to its handler, ``times`` times; the bodies."""
        delivered = []
        for body, delete in self.receive(queue):
            for _ in range(times):
                self.handlers[queue](body)
            delivered.append(body)
            delete()
        return delivered

    def pump(self, times: int = 1) -> None:
        """Deliver every message ``times`` times until all queues are empty."""
        delivered = 1
        while delivered:
            delivered = sum(len(self.deliver(queue, times)) for queue in self.handlers)


def _received(queue: str) -> Iterator[tuple[str, Callable[[], object]]]:
    sqs = client("sqs")
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            delete = partial(sqs.delete_message, QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            yield message["Body"], delete


def load_at_once(worker: Callable[[], System], orders: Iterable[Sequence[str]]) -> list[Exception]:
    """Load batches by several workers at the same time, each in an order of its own; what went wrong."""
    errors: list[Exception] = []

    def work(order: Sequence[str]) -> None:
        system = worker()
        try:
            for body in order:
                system.container.intake.load(body)
        except Exception as error:
            errors.append(error)
        system.container.database.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def member(number: int, **changes: Any) -> str:
    """One good line of a members file; every number gives other keys."""
    values = {
        "first_name": "Ana",
        "last_name": "Silva",
        "phone_number": f"{number:010d}",
        "client_member_id": str(number),
        "account_id": "7",
    }
    return ",".join({**values, **changes}.values()) + "\n"


def members(*numbers: int) -> bytes:
    """A members file with these good records."""
    return (MEMBERS + "".join(map(member, numbers))).encode()
