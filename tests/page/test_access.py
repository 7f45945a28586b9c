"""Everybody can use the page: by keyboard, with a screen reader, on a small screen, in the dark, without motion."""

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.doors import Doors, Json
from tests.page.conftest import Visit
from tests.page.test_contrast import colours
from tests.page.test_work import fresh, named
from tests.page.visitor import Visitor
from tests.system import MEMBERS, member

pytestmark = pytest.mark.stack

PLACES = ("#/jobs", "#/jobs/{id}", "#/datasets", "#/datasets/members", "#/webhooks", "#/keys")
FAULTS = (Path(__file__).parent / "faults.js").read_text()


@pytest.fixture(scope="module")
def job(doors: Doors) -> Json:
    """A job with all that a view of one can have."""
    data = MEMBERS + member(fresh(), account_id="x") + "a,b\n" + member(fresh())
    return doors.ended(doors.drop(named("a-rather-long-name-of-a-file-that-does-not-fit-anywhere"), data.encode()))


def at(visitor: Visitor, place: str, job: Json) -> None:
    visitor.go(place.format(id=job["id"]))
    visitor.page.locator("h1").last.wait_for()
    visitor.page.wait_for_load_state("networkidle") if "jobs/" not in place else visitor.page.wait_for_timeout(500)


@pytest.mark.parametrize("place", PLACES)
def test_everything_has_its_name_and_place(visit: Visit, job: Json, place: str) -> None:
    visitor = visit()
    at(visitor, place, job)
    assert visitor.page.evaluate(FAULTS) == []


def test_signing_in_has_its_names_and_place(visit: Visit) -> None:
    assert visit(key="").page.evaluate(FAULTS) == []


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_the_screen(visit: Visit, job: Json, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 740})
    for place in PLACES:
        at(visitor, place, job)
        wide = visitor.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert wide, place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_system_is(visit: Visit, scheme: str) -> None:
    visitor = visit("#/jobs", color_scheme=scheme)
    paper = colours()[scheme]["paper"]
    rgb = ", ".join(str(int(paper[at : at + 2], 16)) for at in (1, 3, 5))
    assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == f"rgb({rgb})"


TURNING = """() => {
  const turning = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  turning.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  turning.firstChild.classList.add("turn");
  const holder = document.createElement("span");
  holder.classList.add("busy");
  holder.append(turning);
  document.querySelector("main").append(holder);
  return document.getAnimations().length;
}"""


def test_nothing_moves_for_whom_motion_is_reduced(visit: Visit) -> None:
    assert visit("#/jobs", reduced_motion="reduce").page.evaluate(TURNING) == 0
    assert visit("#/jobs", reduced_motion="no-preference").page.evaluate(TURNING) == 1


def test_the_whole_way_can_be_gone_by_keyboard(visit: Visit, job: Json, doors: Doors) -> None:
    visitor = visit(key="")
    page, press = visitor.page, visitor.page.keyboard.press
    assert visitor.focus == "API key"
    page.keyboard.type(doors.api_key)
    press("Enter")
    page.locator("#nav a").first.wait_for()
    page.locator("ol.jobs a").first.wait_for()
    page.reload()  # the keyboard is at the page's begin again
    page.locator("ol.jobs a").first.wait_for()
    press("Tab")
    assert visitor.focus == "Skip to content"
    box = page.locator("#skip").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = []
    for _ in range(40):
        press("Tab")
        seen.append(visitor.focus)
        assert page.evaluate("document.activeElement.matches(':focus-visible')")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none'")
        if page.evaluate("document.activeElement.matches('ol.jobs a')"):
            break
    assert [name for name in seen if name in ("Choose files", "Only validate", "State", "Key, in full")] == [
        "Only validate",
        "Choose files",
        "State",
        "Key, in full",
    ]
    press("Enter")
    page.wait_for_url("**/#/jobs/*")
    page.locator(".head .state").wait_for()
    visitor.until(lambda: page.evaluate("document.activeElement.nodeName") == "H1", "the focus on the new heading")


def test_dialogs_keep_the_keyboard_and_give_it_back(visit: Visit, job: Json) -> None:
    visitor = visit(f"#/jobs/{job['id']}")
    page = visitor.page
    visitor.button("Redrive").focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    for _ in range(6):
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        page.keyboard.press("Tab")
    assert page.evaluate(FAULTS) == []
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert visitor.focus == "Redrive"


def test_the_map_is_read_by_arrow_keys(visit: Visit, job: Json) -> None:
    visitor = visit(f"#/jobs/{job['id']}")
    where = visitor.page.get_by_role("slider", name="Part of the file")
    where.focus()
    visitor.page.keyboard.press("End")
    said = where.get_attribute("aria-valuetext") or ""
    assert said.startswith("Batch 1: loaded, but for rejected records, from line 2")
    assert visitor.page.locator(".map output").inner_text() == said


SHIFTS = """() => {
  window.shifts = 0;
  const add = (list) => list.getEntries().forEach((each) => (window.shifts += each.hadRecentInput ? 0 : each.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
}"""


def test_nothing_jumps_about_while_data_come_in(visit: Visit, job: Json) -> None:
    visitor = visit()
    visitor.page.evaluate(SHIFTS)
    for place in ("#/jobs", "#/jobs/{id}", "#/datasets/members"):
        at(visitor, place, job)
    visitor.page.wait_for_timeout(1500)
    assert visitor.page.evaluate("window.shifts") < 0.1


SAID = """() => {
  window.said = [];
  const place = document.getElementById("announcer");
  const note = () => place.textContent && window.said.push(place.textContent);
  new MutationObserver(note).observe(place, { childList: true, characterData: true, subtree: true });
}"""


def test_only_what_changes_is_announced(visit: Visit, doors: Doors, held_table: Any) -> None:
    """Of a job that is watched its new state, once; no percentages, and nothing of other jobs."""
    dropped = doors.drop(named("heard"), (MEMBERS + member(fresh())).encode())
    job = doors.job_that(dropped, lambda job: sum(job["progress"]["batches"].values()) > 0)
    visitor = visit(f"#/jobs/{job['id']}")
    visitor.wait_for_state("Loading")
    visitor.page.evaluate(SAID)
    visitor.page.wait_for_timeout(1500)
    assert visitor.page.evaluate("window.said") == []
    held_table.rollback()
    visitor.wait_for_state("Loaded")
    visitor.page.wait_for_timeout(500)
    assert visitor.page.evaluate("window.said") == ["The job is now: Loaded"]
