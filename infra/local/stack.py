"""The whole stack: database, mail sink, emulator with the deployed functions, API; started and stopped in order."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import psycopg2

from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from infra.local.client import API, ApiClient, ApiError
from infra.local.deploy import build_package, deploy
from infra.local.emulator import ACCOUNT_ID, REGION, Access, Emulator
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.mail import MailSink
from infra.local.paths import ROOT
from infra.local.postgres import Postgres
from infra.local.postgres_binaries import OLDEST_MAJOR
from infra.local.processes import Child, listening, spawn, stop_orphan
from infra.local.state import Local, forget

MAIL_FOLDER = "mail"
READY_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10

# A queue hides a message from others no longer than this, so that what a crash left is taken up soon. Lambda asks
# that it be no shorter than the function's timeout, and a split hands itself on a minute before its end.
PARAMETERS = {
    "MailFrom": "dropload@example.com",
    "Engineers": "engineers@example.com",
    "MailSettleSeconds": "1",
    "MailWindowSeconds": "1",
    "WorkerConcurrency": "2",
    "LogFormat": "Text",
    "SplitTimeout": "120",
    "SplitVisibility": "120",
    "LoadTimeout": "300",
    "LoadVisibility": "300",
    "ConvertTimeout": "300",
    "ConvertVisibility": "300",
    "NotifyTimeout": "30",
    "NotifyVisibility": "30",
    "ExportTimeout": "300",
    "ExportVisibility": "300",
    "FetchTimeout": "300",
    "FetchVisibility": "300",
    "FetchSeconds": "240",
    "DeliverTimeout": "60",
    "DeliverVisibility": "60",
    "BuryTimeout": "300",
    "BuryVisibility": "300",
}

SCHEDULED_EVENT = {
    "version": "0",
    "id": "at-start",
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "account": ACCOUNT_ID,
    "region": REGION,
    "time": "1970-01-01T00:00:00Z",
    "resources": [],
    "detail": {},
}
"""What EventBridge sends to a function on a schedule."""


@dataclass(frozen=True)
class Running:
    """A stack that is ready: how to use it, and its processes."""

    local: Local
    children: tuple[Child, ...]

    def check(self) -> None:
        """Raise StackError, with the end of its log, if one of the processes has ended."""
        for child in self.children:
            child.check()


@contextmanager
def running(state: Path, port: int, *, fresh: bool, say: Callable[[str], None]) -> Iterator[Running]:
    """A stack on this state with its API on this port, from ready until the context ends.

    To be called while the state is held. ``say`` is told what is going on. Raises StackError when
    something does not start; what did is stopped again.
    """
    with ExitStack() as cleanup:
        Local.withdraw(state)
        stop_orphan(state, API, SIGTERM, STOP_TIMEOUT_SECONDS)
        if listening(port):
            raise StackError(f"port {port} of 127.0.0.1 is in use; choose another one with --port")
        if fresh:
            forget(state)
        say("starting PostgreSQL and the AWS emulator")
        servers = _Servers(state, cleanup)
        database_url, access = servers.start()
        say("deploying the functions")
        api_url = f"http://127.0.0.1:{port}"
        own = {"DatabaseUrl": database_url, "PublicUrl": api_url, "PrivateOrigins": private_origins()}
        deployed = deploy(state, access, {**PARAMETERS, **own})
        if deployed.changed:
            access.session().client("ses", endpoint_url=access.endpoint_url).verify_email_identity(
                EmailAddress=PARAMETERS["MailFrom"]  # what the owner of an AWS account does once, by hand
            )
            servers.emulator.save()
        environment = _environment(database_url, access, deployed.outputs, api_url)
        container = Container(Settings.from_environment(environment))
        container.schema.apply()
        api_key = _api_key(state, container)
        say("starting the API")
        api = _start_api(state, port, environment, cleanup)
        local = Local(
            api_url=api_url,
            api_key=api_key,
            aws_endpoint_url=access.endpoint_url,
            aws_access_key_id=access.access_key_id,
            aws_secret_access_key=access.secret_access_key,
            region=access.region,
            bucket=deployed.outputs["BucketName"],
            database_url=database_url,
            mail_dir=str(state / MAIL_FOLDER),
        )
        stack = Running(local, (*servers.children, api))
        _wait_ready(stack)
        _sweep(access, deployed.outputs["SweepFunction"])
        local.write(state)
        cleanup.callback(Local.withdraw, state)
        yield stack


class _Servers:
    """What depends on nothing of ours: the database (unless DATABASE_URL names one), the mail sink, the emulator."""

    def __init__(self, state: Path, cleanup: ExitStack) -> None:
        self._state = state
        self._database_url = os.environ.get("DATABASE_URL")
        self._postgres = Postgres(state)
        cleanup.callback(self._postgres.stop)
        mail = MailSink(state / MAIL_FOLDER)
        cleanup.callback(mail.stop)
        self.emulator = Emulator(state, smtp_port=mail.start(), enforce_iam=True)
        cleanup.callback(self.emulator.stop)

    def start(self) -> tuple[str, Access]:
        """Start everything at once and return the database's URL and how to reach the emulator.

        The package is made meanwhile, since that takes as long.
        """
        with ThreadPoolExecutor() as pool:
            given = self._database_url
            database = pool.submit(_require_database, given) if given else pool.submit(self._postgres.start)
            aws = pool.submit(self.emulator.start)
            pool.submit(build_package, self._state).result()
            return database.result(), aws.result()

    @property
    def children(self) -> list[Child]:
        """The processes."""
        return [self.emulator.child] if self._database_url else [self._postgres.child, self.emulator.child]


def _require_database(url: str) -> str:
    """The URL, if a database answers there. Raises StackError."""
    try:
        with closing(psycopg2.connect(url, connect_timeout=10)) as connection:
            version = connection.server_version // 10_000
    except psycopg2.Error as problem:
        raise StackError(f"DATABASE_URL leads to no database: {str(problem).strip()}") from None
    if version < OLDEST_MAJOR:
        raise StackError(f"DATABASE_URL leads to PostgreSQL {version}; it must be {OLDEST_MAJOR} or later")
    return url


def private_origins() -> str:
    """Servers of this machine that webhooks may be sent to and files fetched from, as whoever starts us says."""
    return os.environ.get("DROPLOAD_PRIVATE_ORIGINS", "")


def _environment(database_url: str, access: Access, outputs: Mapping[str, str], api_url: str) -> dict[str, str]:
    """What the functions get from the template, for the API and for us."""
    return {
        **access.environment,
        "DATABASE_URL": database_url,
        "DROPLOAD_BUCKET": outputs["BucketName"],
        "DROPLOAD_INTAKE_QUEUE_URL": outputs["IntakeQueueUrl"],
        "DROPLOAD_BATCH_QUEUE_URL": outputs["BatchQueueUrl"],
        "DROPLOAD_CONVERT_QUEUE_URL": outputs["ConvertQueueUrl"],
        "DROPLOAD_NOTIFY_QUEUE_URL": outputs["NotifyQueueUrl"],
        "DROPLOAD_EXPORT_QUEUE_URL": outputs["ExportQueueUrl"],
        "DROPLOAD_FETCH_QUEUE_URL": outputs["FetchQueueUrl"],
        "DROPLOAD_WEBHOOK_QUEUE_URL": outputs["WebhookQueueUrl"],
        "DROPLOAD_WEBHOOK_KEY_SECRET_ARN": outputs["WebhookKeyArn"],
        "DROPLOAD_MAIL_FROM": PARAMETERS["MailFrom"],
        "DROPLOAD_ENGINEERS": PARAMETERS["Engineers"],
        "DROPLOAD_PUBLIC_URL": api_url,
        "DROPLOAD_PRIVATE_ORIGINS": private_origins(),
        "DROPLOAD_EVENTS_TOPIC_ARN": outputs["EventsTopicArn"],
        "DROPLOAD_WORKERS": PARAMETERS["WorkerConcurrency"],
        "DROPLOAD_LOG_FORMAT": PARAMETERS["LogFormat"],
    }


def _api_key(state: Path, container: Container) -> str:
    """This state's API key: made on the first start, and again if the database has forgotten it."""
    file = state / "api-key"
    token = file.read_text() if file.exists() else ""
    if container.keys.check(token) is None:
        token = container.keys.create("local", ["read", "write", "admin"])
        write_private(file, token)
    return token


def _start_api(state: Path, port: int, environment: Mapping[str, str], cleanup: ExitStack) -> Child:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DROPLOAD_"))}
    command = [sys.executable, "-m", "infra.local.api", str(port)]
    api = spawn(state, API, command, environment={**inherited, **environment}, working_folder=ROOT)
    cleanup.callback(api.stop, SIGTERM, STOP_TIMEOUT_SECONDS)
    return api


def _wait_ready(stack: Running) -> None:
    """Wait until the API says that it, and what it needs, is well."""
    client = ApiClient(stack.local.api_url, stack.local.api_key)
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while True:
        stack.check()
        try:
            client.get("/health")
        except ApiError as problem:
            if time.monotonic() > deadline:
                raise StackError(f"the API is not well after {READY_TIMEOUT_SECONDS} seconds: {problem}") from None
            time.sleep(0.1)
        else:
            return


def _sweep(access: Access, function: str) -> None:
    """Have the sweep go on at once with what an earlier run left undone, instead of at its next scheduled time."""
    functions = access.session().client("lambda", endpoint_url=access.endpoint_url)
    functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(SCHEDULED_EVENT))
