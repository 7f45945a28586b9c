"""Makes the pictures of the page for README.md: ``python -m tests.page.screenshot [FOLDER]``, by default into docs/.

On a stack of its own, with demo files of a month; and says what the page weighs and how fast it is there.
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg2

from infra.local.paths import ROOT
from infra.local.processes import free_port
from tests.acceptance.doors import Doors
from tests.page.visitor import Visitor, find_browser, launched
from tests.stack.commands import dev
from tests.system import MEMBERS, member

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTH, HEIGHT = 1200, 1000
DAYS = 30
WEIGHT = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const own = all.filter(({ name }) => !name.includes("/v1/"));
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return {
    requests: own.length,
    bytes: own.reduce((sum, each) => sum + each.decodedBodySize, 0),
    first_paint_ms: Math.round(paint.startTime),
    interactive_ms: Math.round(performance.getEntriesByType("navigation")[0].domInteractive),
    modules_run_ms: Math.round(performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd),
  };
}"""


@contextmanager
def own_stack(state: Path) -> Iterator[dict[str, Any]]:
    """A stack for these pictures alone."""
    started = dev("up", "--detach", "--no-sample", "--state", state, "--port", str(free_port()))
    if started.returncode:
        sys.exit(started.stdout + started.stderr)
    try:
        yield json.loads((state / "local.json").read_text())
    finally:
        dev("down", "--state", state)


def fill(doors: Doors, stack: Mapping[str, Any], folder: Path) -> str:
    """Files as they come in a month; the id of the job that is shown."""
    rng = random.Random(7)
    for day in range(DAYS):
        rows, dirty = rng.randint(2_000, 20_000), rng.choice(["0%", "0.2%", "1%", "3%"])
        dataset = rng.choice(["members", "plays", "products", "members"])
        path = folder / f"{dataset}-{day + 1:02}.csv"
        dev(
            "demo-file", "--dataset", dataset, "--rows", str(rows), "--dirty", dirty, "--seed", str(day), "-o", path
        )  # fmt: skip
        doors.ended(doors.drop(path.name, path.read_bytes(), dataset))
    path = folder / "members-autumn.csv"
    dev("demo-file", "--dataset", "members", "--rows", "100000", "--dirty", "0.4%", "--seed", "99", "-o", path)
    shown = doors.ended(doors.drop(path.name, path.read_bytes()))
    doors.ended(doors.drop("members-letter.csv", b"Dear all,\n\nplease find enclosed\n"))
    with closing(psycopg2.connect(stack["database_url"])) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "update dropload.job set created_at = created_at - age, started_at = started_at - age, "
            "finished_at = finished_at - age from (select number as n, (%s - row_number() over (order by number)) "
            "* interval '21 hours' as age from dropload.job order by number limit %s) as old where number = old.n",
            [DAYS + 1, DAYS],
        )
    return str(shown["id"])


def take(browser: "Browser", doors: Doors, scheme: Literal["light", "dark"], job: str, out: Path) -> None:
    """The pictures of one scheme, with a job under way."""
    ending = "" if scheme == "light" else f"-{scheme}"
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, device_scale_factor=1.5
    )
    visitor = Visitor(context.new_page(), doors, doors.api_key)
    visitor.open("#/jobs")
    visitor.page.locator("ol.jobs li").first.wait_for()
    visitor.page.get_by_text("records/s").first.wait_for()
    visitor.page.screenshot(path=out / f"page{ending}.png")
    if scheme == "light":
        visitor.go(f"#/jobs/{job}")
        visitor.page.wait_for_timeout(1000)
        visitor.page.screenshot(path=out / "page-job.png")
    visitor.check()
    context.close()


def main(out: Path) -> None:
    """Take all of them."""
    program = find_browser()
    if program is None:
        sys.exit("no Chromium: none on PATH, and CHROMIUM names none")
    with (
        tempfile.TemporaryDirectory() as folder,
        own_stack(Path(folder) / "state") as stack,
        launched(program) as browser,
    ):
        doors = Doors(stack)
        job = fill(doors, stack, Path(folder))
        for scheme in ("light", "dark"):
            # Something is under way, held up by a lock once its first batches are in.
            first = 1 if scheme == "light" else 2_000_001
            data = MEMBERS + "".join(member(10**9 + number) for number in range(first, first + 200_000))
            dropped = doors.drop(f"members-winter-{scheme}.csv", data.encode())
            with closing(psycopg2.connect(stack["database_url"])) as connection:
                doors.job_that(dropped, lambda job: job["counts"]["read"] > 0)
                connection.cursor().execute("lock table members in exclusive mode")
                take(browser, doors, scheme, job, out)
                connection.rollback()
            doors.ended(dropped)
        page = browser.new_page()
        page.goto(f"{doors.url}/", wait_until="networkidle")
        print(json.dumps(page.evaluate(WEIGHT)))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs")
