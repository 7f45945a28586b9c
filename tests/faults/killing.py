"""A worker process that is killed, without warning, at its n-th contact with the outside world.

Contacts are SQL statements, COPYs, commits and AWS requests; each counts twice, just before and just after. So the
numbers 1, 2, 3 ... are all the places between any two effects, whatever the code between them is.
"""

import os
import pkgutil
import signal
from collections.abc import Callable
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import wait
from threading import Lock
from typing import Any
from uuid import UUID

import boto3
import psycopg2
import psycopg2.extensions
from botocore.loaders import create_loader
from botocore.session import Session

import chalicelib
from chalicelib.adapters.postgres import database, hurry
from chalicelib.bootstrap import Container
from chalicelib.config import Settings
from chalicelib.core.dataset import Dataset
from tests.system import System

# Workers are forked from a server that has imported everything: a start costs milliseconds.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    import_module(module.name)
LOADER = create_loader()
"""What boto knows of AWS's services, read once."""


def session() -> Session:
    made = Session()
    made.register_component("data_loader", LOADER)
    return made


for service in ("s3", "sqs", "ses"):
    session().create_client(service, region_name="us-east-1")

# Process.start() also reads the exit codes of other threads' workers: two that read one at once get 255 for it.
EXIT_CODES = Lock()

WAIT_SECONDS = 60

Task = Callable[[System], object]


class Countdown:
    """Kills this process, as the kernel would, at the contact that it was set to."""

    def __init__(self, contacts: int) -> None:
        self.left = contacts

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any], *args: Any) -> Any:
        self.tick()
        result = call(*args)
        self.tick()
        return result


def _instrument(countdown: Countdown) -> None:
    class CountingCursor(database.Cursor):
        def execute(self, *args: Any) -> Any:
            return countdown.around(super().execute, *args)

        def copy_expert(self, *args: Any) -> Any:
            return countdown.around(super().copy_expert, *args)

    class CountingHurriedCursor(hurry.HurriedCursor):
        def execute(self, *args: Any) -> Any:
            return countdown.around(super().execute, *args)

    class CountingConnection(psycopg2.extensions.connection):
        def commit(self) -> None:
            countdown.around(super().commit)

    connect: Any = partial(psycopg2.connect, connection_factory=CountingConnection)
    psycopg2.connect = connect
    database.Cursor = CountingCursor  # type: ignore[misc]
    hurry.HurriedCursor = CountingHurriedCursor  # type: ignore[misc]
    boto3.setup_default_session(botocore_session=session())
    assert boto3.DEFAULT_SESSION is not None
    boto3.DEFAULT_SESSION.events.register("before-send", lambda **_: countdown.tick())
    boto3.DEFAULT_SESSION.events.register("after-call", lambda **_: countdown.tick())


def as_it_is(system: System) -> System:
    """A system that knows the datasets that the process was given."""
    return system


def _work(
    settings: Settings,
    datasets: dict[str, Dataset],
    environment: dict[str, str],
    contacts: int,
    taught: Callable[[System], System],
    task: Task,
) -> None:
    os.environ.update(environment)
    _instrument(Countdown(contacts))
    container = Container(settings)
    container.datasets.update(datasets)
    system = taught(System(settings, container))
    task(system)


def deliver(system: System) -> None:
    """Deliver messages."""
    system.pump()


def redrive(id: UUID, system: System) -> None:
    """Redrive a job."""
    system.container.redrive.run(id)


def work_and_die(
    system: System,
    contacts: int,
    taught: Callable[[System], System] = as_it_is,
    *,
    redriven: UUID | None = None,
    task: Task = deliver,
) -> bool:
    """Redrive a job, if one is named, else do a task, in a process that dies at its n-th contact.

    False when it came to its end before that. ``taught`` gives the process's system more datasets; without any contact.
    """
    if redriven is not None:
        task = partial(redrive, redriven)
    environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    arguments = (system.settings, system.container.datasets, environment, contacts, taught, task)
    worker = CONTEXT.Process(target=_work, args=arguments)
    with EXIT_CODES:
        worker.start()
    wait([worker.sentinel], WAIT_SECONDS)
    with EXIT_CODES:
        exit_code = worker.exitcode
    assert exit_code in (0, -signal.SIGKILL), f"the worker ended with {exit_code}"
    return exit_code != 0
