"""API keys of the running stack: made, listed, revoked.

What needs more than the standard library is imported when it runs: dev.py asks for the arguments before anything is
installed.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.client import ApiClient

SCOPES = ("read", "write", "admin")


def add_arguments(keys: argparse.ArgumentParser, add_state: Callable[[argparse.ArgumentParser], None]) -> None:
    """The commands under ``keys``."""
    commands = keys.add_subparsers(dest="action", required=True, metavar="action")
    create = commands.add_parser("create", help="make a key; its token is shown once")
    create.add_argument("name", metavar="NAME", help="whom or what it is for")
    create.add_argument(
        "--scope", action="append", choices=SCOPES, required=True, help="what it opens; repeatable: read, write, admin"
    )
    create.add_argument(
        "--dataset", action="append", metavar="NAME", help="which datasets are there for it; repeatable (default: all)"
    )
    add_state(create)
    add_state(commands.add_parser("list", help="all keys, newest first; never their tokens"))
    revoke = commands.add_parser("revoke", help="make a key worth nothing")
    revoke.add_argument("id", metavar="ID")
    add_state(revoke)


def run(arguments: argparse.Namespace) -> int:
    """The ``keys`` command. Returns its exit code. Raises StackError when the stack does not answer, or refuses."""
    from infra.local.client import asking

    with asking(arguments.state.resolve()) as (client, _):
        match arguments.action:
            case "create":
                _create(client, arguments)
            case "list":
                _list(client)
            case _:
                key = client.call("DELETE", f"/v1/keys/{arguments.id}")
                print(f"revoked {key['id']} ({key['name']})")
    return 0


def _create(client: "ApiClient", arguments: argparse.Namespace) -> None:
    body = {"name": arguments.name, "scopes": sorted(set(arguments.scope)), "datasets": arguments.dataset}
    key = client.post("/v1/keys", body)
    print(f"{_line(key)}\n\n{key['token']}\n\nThis is shown once and kept nowhere.")


def _list(client: "ApiClient") -> None:
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = client.get("/v1/keys", **query)
        for key in page["items"]:
            print(_line(key))
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


def _line(key: dict[str, Any]) -> str:
    datasets = "all datasets" if key["datasets"] is None else ",".join(key["datasets"])
    state = f"revoked {key['revoked_at']}" if key["revoked_at"] else f"last used {key['last_used_at'] or 'never'}"
    return f"{key['id']}  {','.join(key['scopes']):<16}  {datasets:<20}  {state}  {key['name']}"
