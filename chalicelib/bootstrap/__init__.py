"""The composition root: adapters and services, built once a process from the environment.

What every function works with is imported at the top of these modules, all else where it is made: a function that
loads batches must not wait, each time it starts, for what answers requests.
"""

from __future__ import annotations

import os
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.adapters import logs
from chalicelib.adapters.descriptors import load_datasets, read_descriptors
from chalicelib.adapters.postgres.database import Database
from chalicelib.bootstrap.requests import Requests
from chalicelib.config import Settings

if TYPE_CHECKING:
    from chalicelib.adapters.postgres.schema import Schema as Schema
    from chalicelib.services.intake import Intake

__all__ = ["VERSION", "Container", "container", "prepare", "read_descriptors", "schema_of"]

VERSION = "0.1.0"


class Container(Requests):
    """Everything, each made when first asked for, so that a function starts with no more than it needs."""

    @cached_property
    def intake(self) -> Intake:
        from chalicelib.adapters import events
        from chalicelib.services.intake import Intake

        return Intake(services=self, messages=events)


@cache
def container() -> Container:
    """This process's container; where its settings say how to log, the process logs so from now on."""
    settings = Settings.from_environment()
    if settings.log_format is not None:
        logs.start(settings.log_format, settings.log_file)
    return Container(settings)


def prepare() -> None:
    """Where Lambda runs us: make what this function works with while it starts, when Lambda lends it more processor.

    What a function calls is the container's service of the same name, if it has one.
    """
    function = os.environ.get("_HANDLER", "").removeprefix("app.")
    if isinstance(getattr(Container, function, None), cached_property):
        getattr(container(), function)


def schema_of(database_url: str, folder: Path) -> Schema:
    """What brings a database's tables to what the descriptors of a folder say.

    Raises:
        DescriptorError: descriptors are wrong.
    """
    from chalicelib.adapters.postgres.schema import Schema

    return Schema(Database(lambda: database_url), load_datasets(folder))
