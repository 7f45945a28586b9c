"""One running stack for all acceptance tests."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.doors import Doors


@pytest.fixture(scope="session")
def doors(stack: Mapping[str, Any]) -> Doors:
    """The public doors of the stack that the session shares."""
    return Doors(stack)
