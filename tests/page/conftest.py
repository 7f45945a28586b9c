"""A real browser on the whole local stack; tests of it are skipped where there is none."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.acceptance.doors import Doors
from tests.page.visitor import Visitor, find_browser, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def doors(stack: Mapping[str, Any]) -> Doors:
    return Doors(stack)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium: none on PATH, and CHROMIUM names none")
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with launched(program) as browser:
        yield browser


@pytest.fixture
def visit(browser: "Browser", doors: Doors) -> Iterator[Visit]:
    """Opens the page, signed in with a key (the stack's own; "" for not signed in). Nothing may go wrong in it."""
    with ExitStack() as cleanup:

        def opened(place: str = "", *, key: str | None = None, **options: Any) -> Visitor:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            cleanup.callback(context.close)
            visitor = Visitor(context.new_page(), doors, doors.api_key if key is None else key)
            cleanup.callback(visitor.check)
            visitor.open(place)
            return visitor

        yield opened


@pytest.fixture
def held_table(stack: Mapping[str, Any]) -> Iterator[Any]:
    """Members' table, locked so that whoever loads into it waits, until the test lets go."""
    with closing(psycopg2.connect(stack["database_url"])) as connection:
        connection.cursor().execute("lock table members in access exclusive mode")
        yield connection
        connection.rollback()
