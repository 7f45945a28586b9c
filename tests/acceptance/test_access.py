"""Who may do what: every route, asked by every kind of caller."""

from typing import Any

import pytest

from chalicelib.api import declared
from chalicelib.core.access import Scope
from tests.acceptance.doors import Doors, Json
from tests.acceptance.files import demo_file

pytestmark = pytest.mark.stack

OPEN, READ, WRITE, ADMIN = None, Scope.READ, Scope.WRITE, Scope.ADMIN
NEEDS = {
    ("GET", "/health"): READ,
    ("GET", "/openapi.json"): OPEN,
    ("GET", "/docs"): OPEN,
    ("GET", "/docs/{file}"): OPEN,
    ("GET", "/redoc"): OPEN,
    ("GET", "/"): OPEN,
    ("GET", "/web/{file}"): OPEN,
    ("GET", "/v1/me"): READ,
    ("GET", "/v1/keys"): ADMIN,
    ("POST", "/v1/keys"): ADMIN,
    ("GET", "/v1/keys/{id}"): ADMIN,
    ("DELETE", "/v1/keys/{id}"): ADMIN,
    ("GET", "/v1/webhooks"): ADMIN,
    ("POST", "/v1/webhooks"): ADMIN,
    ("GET", "/v1/webhooks/{id}"): ADMIN,
    ("PATCH", "/v1/webhooks/{id}"): ADMIN,
    ("DELETE", "/v1/webhooks/{id}"): ADMIN,
    ("POST", "/v1/webhooks/{id}/rotate"): ADMIN,
    ("POST", "/v1/webhooks/{id}/enable"): ADMIN,
    ("POST", "/v1/webhooks/{id}/test"): ADMIN,
    ("GET", "/v1/webhooks/{id}/deliveries"): ADMIN,
    ("GET", "/v1/jobs/{id}/changes"): READ,
    ("GET", "/v1/jobs"): READ,
    ("GET", "/v1/jobs/{id}"): READ,
    ("GET", "/v1/objects"): READ,
    ("GET", "/v1/jobs/{id}/rejections"): READ,
    ("GET", "/v1/jobs/{id}/batches"): READ,
    ("GET", "/v1/jobs/{id}/receipt"): READ,
    ("POST", "/v1/jobs/{id}/redrive"): WRITE,
    ("POST", "/v1/jobs"): WRITE,
    ("POST", "/v1/uploads"): WRITE,
    ("GET", "/v1/jobs/{id}/rejected.csv"): READ,
    ("GET", "/v1/jobs/{id}/result"): READ,
    ("POST", "/v1/jobs/{id}/cancel"): WRITE,
    ("POST", "/v1/jobs/{id}/start"): WRITE,
    ("GET", "/v1/jobs/{id}/undo"): READ,
    ("POST", "/v1/jobs/{id}/undo"): WRITE,
    ("GET", "/v1/datasets"): READ,
    ("GET", "/v1/datasets/{name}"): READ,
    ("GET", "/v1/datasets/{name}/volumes"): READ,
    ("GET", "/v1/datasets/{name}/records"): READ,
    ("POST", "/v1/datasets/{name}/records"): WRITE,
    ("PUT", "/v1/datasets/{name}/records"): WRITE,
    ("DELETE", "/v1/datasets/{name}/records"): ADMIN,
    ("GET", "/v1/datasets/{name}/records/{id}"): READ,
    ("PUT", "/v1/datasets/{name}/records/{id}"): WRITE,
    ("PATCH", "/v1/datasets/{name}/records/{id}"): WRITE,
    ("DELETE", "/v1/datasets/{name}/records/{id}"): WRITE,
    ("POST", "/v1/datasets/{name}/erasures"): ADMIN,
    ("GET", "/v1/erasures/{id}"): ADMIN,
    ("POST", "/v1/datasets/{name}/exports"): WRITE,
    ("GET", "/v1/exports/{id}"): READ,
    ("POST", "/v1/exports/{id}/cancel"): WRITE,
}
"""What each route asks for, said once more: whoever adds a route or opens one says so here, too."""
ROUTES = [(route.method, route.path) for route in declared()]


def test_every_route_is_in_this_table() -> None:
    assert {(route.method, route.path): route.scope for route in declared()} == NEEDS


@pytest.fixture(scope="module")
def keys(doors: Doors) -> dict[str, str]:
    """A key of each scope, by its name."""
    return {scope.value: doors.key(scope.value) for scope in Scope}


def nobodys(path: str) -> str:
    """A path to nothing that is there, so that no request of these tests does anything."""
    return path.format(id="00000000-0000-7000-8000-000000000000", name="no_such_dataset", file="no-such-file")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_route_is_closed_without_a_good_key(doors: Doors, method: str, path: str) -> None:
    for key in ("", "dropload_guessed", "a.b.c"):
        answer = doors.ask(method, nobodys(path), api_key=key)
        if NEEDS[method, path] is OPEN:
            assert answer.status in (200, 404)
        else:
            assert (answer.status, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("scope", list(Scope))
def test_route_is_open_to_its_scope_and_to_admins_alone(
    doors: Doors, keys: dict[str, str], method: str, path: str, scope: Scope
) -> None:
    answer = doors.ask(method, nobodys(path), api_key=keys[scope], body={"nonsense": True})
    if NEEDS[method, path] in (OPEN, scope) or scope is ADMIN:
        assert answer.status not in (401, 403)
    else:
        assert (answer.status, answer.content_type, answer.body["code"]) == (
            403,
            "application/problem+json",
            "forbidden",
        )


@pytest.fixture(scope="module")
def job(doors: Doors) -> Json:
    """A job of the members."""
    return doors.ended(doors.drop("of-members.csv", demo_file(406, 2).data))


DELETE_ALL = ("DELETE", "/v1/datasets/{name}/records")
PARTS_OF_JOBS = [(method, path) for method, path in NEEDS if path.startswith("/v1/jobs/{id}")]
PARTS_OF_DATASETS = [(method, path) for method, path in NEEDS if path.startswith("/v1/datasets/{name}")]
BODIES: dict[tuple[str, str], Any] = {
    ("PUT", "/v1/datasets/{name}/records"): [],
    ("POST", "/v1/jobs/{id}/undo"): {"token": "x"},
    ("POST", "/v1/datasets/{name}/erasures"): {"key": {"client_member_id": "1"}},
}
"""What is sent where an empty object would be refused before anybody looks for the dataset."""


@pytest.mark.parametrize(("method", "path"), PARTS_OF_JOBS + PARTS_OF_DATASETS)
def test_someone_elses_dataset_is_not_there(doors: Doors, job: Json, method: str, path: str, stranger: str) -> None:
    number = job["id"] if "/jobs/" in path else "1"
    there = path.format(id=number, name="members") + ("?confirm=members" if (method, path) == DELETE_ALL else "")
    answer = doors.ask(
        method, there, api_key=stranger, body=BODIES.get((method, path), None if method == "GET" else {})
    )
    assert (answer.status, answer.body["code"]) == (404, "not-found")


@pytest.fixture(scope="module")
def stranger(doors: Doors) -> str:
    """The key of somebody who may do everything, to one dataset that nothing here is about."""
    return doors.key("read", "write", "admin", datasets=["plays"])


def test_what_is_somebody_elses_is_not_listed(doors: Doors, job: Json, stranger: str) -> None:
    assert doors.get("/v1/jobs", api_key=stranger, dataset="members").body["items"] == []
    assert job["id"] not in {each["id"] for each in doors.get("/v1/jobs", api_key=stranger, limit=200).body["items"]}
    assert {each["name"] for each in doors.get("/v1/datasets", api_key=stranger).body["items"]} == {"plays"}
    export = doors.post("/v1/datasets/members/exports", {}).body
    assert doors.get(export["links"]["self"], api_key=stranger).status == 404
    assert doors.post(f"{export['links']['self']}/cancel", {}, api_key=stranger).status == 404


def test_limited_admin_gives_no_more_than_they_have(doors: Doors, stranger: str) -> None:
    others = doors.post("/v1/keys", {"name": "of all", "scopes": ["read"]}).body
    for datasets in (None, ["members"], ["plays", "members"]):
        body = {"name": "more", "scopes": ["admin"], "datasets": datasets}
        assert doors.post("/v1/keys", body, api_key=stranger).status == 422
    own = doors.post("/v1/keys", {"name": "own", "scopes": ["read"], "datasets": ["plays"]}, api_key=stranger)
    assert own.status == 201
    seen = doors.get("/v1/keys", api_key=stranger, limit=200).body["items"]
    assert own.body["id"] in {each["id"] for each in seen}
    assert {tuple(each["datasets"]) for each in seen} == {("plays",)}
    for method in ("GET", "DELETE"):
        assert doors.ask(method, f"/v1/keys/{others['id']}", api_key=stranger).status == 404
    assert doors.get(f"/v1/keys/{others['id']}").body["revoked_at"] is None
    assert doors.ask("DELETE", f"/v1/keys/{own.body['id']}", api_key=stranger).status == 200


def test_ones_own_dataset_is(doors: Doors, job: Json) -> None:
    own = doors.key("read", datasets=["members"])
    assert doors.get(f"/v1/jobs/{job['id']}", api_key=own).status == 200
    assert job["id"] in {each["id"] for each in doors.get("/v1/jobs", api_key=own, limit=200).body["items"]}


def test_key_is_listed_used_and_revoked(doors: Doors) -> None:
    made = doors.post("/v1/keys", {"name": "for the shop", "scopes": ["read"], "datasets": ["products"]})
    assert made.status == 201
    id, token = made.body["id"], made.body["token"]
    path = f"/v1/keys/{id}"
    assert doors.get(path).body["last_used_at"] is None
    me = doors.get("/v1/me", api_key=token).body
    assert me == {"id": id, "name": "for the shop", "scopes": ["read"], "datasets": ["products"]}
    listed = next(each for each in doors.get("/v1/keys", limit=200).body["items"] if each["id"] == id)
    assert listed["last_used_at"] is not None
    assert "token" not in listed
    revoked = doors.ask("DELETE", path)
    assert (revoked.status, revoked.body["revoked_at"] is not None) == (200, True)
    assert doors.ask("DELETE", path).body == revoked.body
    assert doors.get("/v1/me", api_key=token).status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "scopes": []}, 400),
        ({"name": "x", "scopes": ["fly"]}, 400),
        ({"name": "", "scopes": ["read"]}, 400),
        ({"name": "a\r\nb", "scopes": ["read"]}, 400),
        ({"name": "x" * 101, "scopes": ["read"]}, 400),
        ({"name": "x"}, 400),
        ({"name": "x", "scopes": ["read"], "token": "mine"}, 400),
        ({"name": "x", "scopes": ["read"], "datasets": []}, 400),
        ({"name": "x", "scopes": ["read"], "datasets": ["nothing"]}, 422),
    ],
)
def test_key_that_makes_no_sense_is_not_made(doors: Doors, body: Any, status: int) -> None:
    before = doors.get("/v1/keys", limit=1).body["items"]
    answer = doors.post("/v1/keys", body)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    assert doors.get("/v1/keys", limit=1).body["items"] == before
