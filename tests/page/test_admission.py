"""Who gets in, what they are offered, and what they are told when something does not work."""

import json
import secrets

import pytest

from tests.acceptance.doors import Doors
from tests.page.conftest import Visit
from tests.page.test_work import fresh, named
from tests.system import MEMBERS, member

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("key", ["dropload_guessed", "nonsense", "schlüssel"])
def test_a_wrong_key_is_refused_with_what_to_do(visit: Visit, key: str) -> None:
    visitor = visit(key="")
    visitor.sign_in(key)
    visitor.page.get_by_text("This key is unknown, or was revoked.").wait_for()
    assert visitor.page.evaluate("sessionStorage.length") == 0
    assert visitor.focus == "API key"


def test_who_may_not_read_is_told_so(visit: Visit, doors: Doors) -> None:
    visitor = visit(key="")
    visitor.sign_in(doors.key("write"))
    visitor.page.get_by_text("This key is good, but may not look at anything.").wait_for()


def test_a_key_stays_in_the_tab_until_one_signs_out(visit: Visit, doors: Doors) -> None:
    visitor = visit("#/datasets")
    assert doors.api_key not in visitor.page.url
    assert visitor.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Datasets").wait_for()
    visitor.button("Sign out").click()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()
    assert visitor.page.evaluate("sessionStorage.length") == 0
    assert visitor.page.locator("#nav a").count() == 0
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Sign in").wait_for()


def test_who_may_only_read_is_offered_nothing_else(visit: Visit, doors: Doors) -> None:
    job = doors.ended(doors.drop(named("read"), (MEMBERS + member(fresh(), account_id="x")).encode()))
    visitor = visit("#/jobs", key=doors.key("read"))
    assert visitor.page.locator("#nav a").all_inner_texts() == ["Jobs", "Datasets"]
    assert visitor.page.locator("ol.jobs li").count() > 0
    assert visitor.page.locator(".zone").count() == 0
    visitor.go(f"#/jobs/{job['id']}")
    visitor.button("Download rejected file").wait_for()
    assert visitor.button("Redrive").count() + visitor.button("Cancel").count() == 0
    visitor.go("#/keys")
    visitor.page.get_by_text("this needs the scope admin").wait_for()


def test_who_may_write_is_no_admin(visit: Visit, doors: Doors) -> None:
    visitor = visit("#/jobs", key=doors.key("read", "write"))
    assert visitor.page.locator("#nav a").all_inner_texts() == ["Jobs", "Datasets"]
    visitor.button("Choose files").wait_for()


def test_a_key_of_some_datasets_shows_no_other(visit: Visit, doors: Doors) -> None:
    job = doors.ended(doors.drop(named("foreign"), (MEMBERS + member(fresh())).encode()))
    visitor = visit("#/datasets", key=doors.key("read", "write", datasets=["plays"]))
    assert visitor.page.locator(".cards h2").all_inner_texts() == ["Plays"]
    visitor.go(f"#/jobs/{job['id']}")
    visitor.page.get_by_role("heading", name="Nothing here").wait_for()


def test_a_key_that_is_revoked_ends_the_session(visit: Visit, doors: Doors) -> None:
    token = doors.key("read")
    visitor = visit("#/jobs", key=token)
    me = doors.get("/v1/me", api_key=token).body["id"]
    doors.ask("DELETE", f"/v1/keys/{me}")
    visitor.page.evaluate("window.dispatchEvent(new Event('stir'))")
    visitor.page.get_by_text("Your key is no longer accepted. Sign in again.").wait_for()


def test_without_a_network_it_waits_and_goes_on_by_itself(visit: Visit) -> None:
    visitor = visit("#/jobs")
    visitor.page.context.set_offline(True)
    visitor.page.evaluate("window.dispatchEvent(new Event('stir'))")
    visitor.page.get_by_text("The server cannot be reached. Trying again in").wait_for()
    assert visitor.page.locator("ol.jobs li").count() > 0  # what was there is still to be read
    visitor.page.context.set_offline(False)
    visitor.page.locator("#trouble").wait_for(state="hidden")


def test_trouble_of_the_server_is_waited_out_as_long_as_it_says(visit: Visit) -> None:
    visitor = visit("#/jobs")
    problem = {"title": "Service Unavailable", "status": 503, "code": "x", "detail": "The database does not answer."}
    asked: list[float] = []

    def refuse(route: object) -> None:
        asked.append(1)
        route.fulfill(  # type: ignore[attr-defined]
            status=503,
            headers={"Retry-After": "3", "Content-Type": "application/problem+json"},
            body=json.dumps(problem),
        )

    visitor.page.route("**/v1/jobs?*", refuse)
    visitor.page.evaluate("window.dispatchEvent(new Event('stir'))")
    visitor.page.get_by_text("The database does not answer. Trying again in 3 s.").wait_for()
    visitor.page.wait_for_timeout(1500)
    assert len(asked) == 1
    visitor.page.unroute("**/v1/jobs?*")
    visitor.page.locator("#trouble").wait_for(state="hidden")


def test_a_place_that_is_none_leads_to_the_jobs(visit: Visit) -> None:
    visitor = visit("#/jobs")
    visitor.page.evaluate("location.hash = '#/nowhere'")
    visitor.page.wait_for_url("**/#/jobs")
    visitor.go("#/jobs/00000000-0000-7000-8000-000000000000")
    visitor.page.get_by_role("heading", name="Nothing here").wait_for()


def test_keys_are_made_shown_once_and_revoked(visit: Visit, doors: Doors) -> None:
    name = f"robot {secrets.token_hex(4)}"
    visitor = visit("#/keys")
    visitor.button("New key").click()
    visitor.page.get_by_label("Name").fill(name)
    visitor.page.get_by_label("Plays").check()
    visitor.button("Make the key").click()
    token = visitor.page.locator(".secret").inner_text()
    me = doors.get("/v1/me", api_key=token).body
    assert (me["name"], me["scopes"], me["datasets"]) == (name, ["read"], ["plays"])
    visitor.button("Done").click()
    visitor.page.locator("dialog").wait_for(state="detached")
    assert token not in visitor.page.content()
    entry = visitor.page.get_by_role("listitem").filter(has_text=name)
    entry.get_by_role("button", name="Revoke").click()
    visitor.button("Revoke the key").click()
    entry.get_by_text("revoked just now").wait_for()
    assert doors.get("/v1/me", api_key=token).status == 401


def test_a_dataset_shows_its_schema_rows_and_volumes(visit: Visit, doors: Doors) -> None:
    doors.ended(doors.drop(named("volume"), (MEMBERS + member(fresh()) + member(fresh(), account_id="x")).encode()))
    visitor = visit("#/datasets")
    visitor.page.get_by_role("link", name="Members").click()
    fields = visitor.page.get_by_role("region", name="Fields").get_by_role("row")
    fields.first.wait_for()
    told = [text.split() for text in fields.all_inner_texts()]
    assert [row[0] for row in told[1:]] == ["first_name", "last_name", "phone_number", "client_member_id", "account_id"]
    assert "sensitive" in told[1]
    plot = visitor.page.get_by_role("img", name="Records a day over 30 days")
    today = doors.get("/v1/datasets/members/volumes", days=30).body["items"]
    loaded = sum(day["records"] - day["rejected"] for day in today)
    assert f"{loaded:,} loaded" in (plot.get_attribute("aria-label") or "")
    visitor.page.get_by_text("As a table").click()
    visitor.page.get_by_role("row").filter(has_text="Rejected").wait_for()


def test_the_page_is_light(visit: Visit) -> None:
    """In bytes and requests: what a phone must get before it shows anything."""
    visitor = visit(key="")
    loaded = visitor.page.evaluate("performance.getEntriesByType('resource').map((each) => each.decodedBodySize)")
    assert len(loaded) < 30
    assert sum(loaded) < 120_000


def test_webhooks_are_made_tried_changed_and_removed(visit: Visit, doors: Doors) -> None:
    url = f"https://{secrets.token_hex(6)}.example.invalid/hook"
    visitor = visit("#/webhooks")
    page = visitor.page
    visitor.button("New webhook").click()
    page.get_by_label("Address").fill("https://localhost/")
    visitor.button("Make the webhook").click()
    page.locator("dialog").get_by_role("alert").get_by_text("url: its host is not an address").wait_for()
    page.get_by_label("Address").fill(url)
    page.get_by_label("What it is for").fill("for a test")
    visitor.button("Make the webhook").click()
    assert page.locator(".secret").inner_text().startswith("whsec_")
    visitor.button("Done").click()
    entry = page.locator("li.entry").filter(has_text=url)
    entry.get_by_text("job.completed, job.failed · all datasets").wait_for()
    entry.get_by_role("button", name="Test").click()
    entry.get_by_role("row").filter(has_text="webhook.test").wait_for()
    entry.get_by_role("button", name="Change").click()
    page.get_by_label("What it is for").fill("for another one")
    visitor.button("Save").click()
    entry.get_by_text("for another one").wait_for()
    entry.get_by_role("button", name="New secret").click()
    visitor.button("Make a new secret").click()
    assert page.locator(".secret").inner_text().startswith("whsec_")
    visitor.button("Done").click()
    entry.get_by_text("The secret before signs, too, until").wait_for()
    entry.get_by_role("button", name="Remove").click()
    visitor.button("Remove it").click()
    entry.wait_for(state="detached")
    assert url not in json.dumps(doors.get("/v1/webhooks", limit=200).body)
