"""Jobs for files that lie elsewhere: how tests begin and follow them."""

import time
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.access import EVERYONE, Caller
from chalicelib.errors import RequestRefused
from tests.system import System


def start(system: System, target: str, dataset: str = "members", *, caller: Caller = EVERYONE, **how: bool) -> UUID:
    wanted = {"validate_only": False, "again": False, **how}
    return system.container.starts.run(caller, target, dataset, **wanted)


def view(system: System, id: UUID) -> dict[str, Any]:
    job = system.container.views.job(id)
    assert job is not None
    return job


def settled(system: System, id: UUID, count: int = 1) -> dict[str, Any]:
    """The job when all messages are delivered, S3's late one among them."""
    system.pump()
    time.sleep(0.3)
    system.pump()
    assert len(system.rows("select id from dropload.job")) == count
    return view(system, id)


def refused(system: System, *args: Any, **how: Any) -> RequestRefused:
    with pytest.raises(RequestRefused) as refusal:
        start(system, *args, **how)
    return refusal.value
