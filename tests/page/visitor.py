"""Someone at a browser, looking at the page."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.acceptance.doors import Doors

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000
"""Milliseconds after which something that should come about is taken not to."""
_ANSWERS = re.compile(r"Failed to load resource: the server responded with a status of|net::ERR_INTERNET_DISCONNECTED")


def find_browser() -> str | None:
    """A Chromium: what CHROMIUM names, else the first on PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def launched(program: str) -> Iterator["Browser"]:
    """This browser, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One tab. ``key`` is the API key that is signed in with."""

    def __init__(self, page: "Page", doors: Doors, key: str) -> None:
        self.page = page
        self.doors = doors
        self.key = key
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))"
        )

    def _note(self, kind: str, text: str) -> None:
        # A browser says of each answer that it was a refusal; the page handles these.
        if kind in ("error", "warning") and not _ANSWERS.search(text):
            self.complaints.append(text)

    def check(self) -> None:
        """Nothing went wrong: no script error, no violation of the policy, no warning."""
        assert self.complaints == []

    def open(self, place: str = "") -> None:
        """Load the page, sign in where there is a key, and go to a place (#/...)."""
        self.page.goto(f"{self.doors.url}/")
        if self.key:
            self.sign_in(self.key)
            self.page.locator("#nav a").first.wait_for()
            if place:
                self.go(place)

    def sign_in(self, key: str) -> None:
        """Type a key and send it."""
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()

    def go(self, place: str) -> None:
        """Go to a place and wait until it is there."""
        self.page.evaluate("place => { location.hash = place }", place)
        self.page.locator("main h1").first.wait_for()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being loaded into the page."""
        self.until(lambda: self.page.locator("[aria-busy=true]").count() == 0, "an end of loading")

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait until something is so. Playwright's own way evaluates text, which the page's policy forbids."""
        end = time.monotonic() + PATIENCE / 1000
        while not look():
            assert time.monotonic() < end, f"waited in vain for {what}"
            self.page.wait_for_timeout(50)

    def upload(self, *files: Any, dataset: str = "members", validate_only: bool = False) -> None:
        """Choose files, each a dict of name, mimeType and buffer, or a path."""
        self.page.locator(f"#into option[value={dataset}]").wait_for(state="attached")
        self.page.get_by_label("Into dataset").select_option(dataset)
        self.page.get_by_role("switch", name="Only validate").set_checked(validate_only)
        self.page.locator("#pick").set_input_files(list(files))

    def wait_for_state(self, word: str) -> None:
        """Wait until the job that is looked at is in this state."""
        self.page.locator(".head .state", has_text=re.compile(f"^{word}$")).wait_for()

    def button(self, name: str, *, within: str = "body") -> "Locator":
        """A button by what it is called."""
        return self.page.locator(within).get_by_role("button", name=name, exact=True)

    @property
    def focus(self) -> str:
        """What has the focus, as a person would call it."""
        said: str = self.page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.labels?.[0]?.textContent "
            "|| document.activeElement.textContent || document.activeElement.nodeName).trim()"
        )
        return said


def file(name: str, data: str | bytes) -> dict[str, Any]:
    """A file to be uploaded."""
    return {"name": name, "mimeType": "text/csv", "buffer": data if isinstance(data, bytes) else data.encode()}
