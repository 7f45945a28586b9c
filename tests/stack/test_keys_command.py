import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.stack.commands import dev

pytestmark = pytest.mark.stack


def test_keys_are_made_listed_and_revoked(stack: dict[str, Any]) -> None:
    state = ["--state", str(Path(stack["mail_dir"]).parent)]
    made = dev("keys", "create", "the shop", "--scope", "read", "--dataset", "products", *state)
    assert made.returncode == 0, made.stderr
    (token,) = re.findall(r"^dropload_\S+$", made.stdout, re.MULTILINE)
    id = made.stdout.split()[0]
    request = urllib.request.Request(stack["api_url"] + "/v1/me", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["datasets"] == ["products"]
    listed = dev("keys", "list", *state).stdout
    assert re.search(rf"^{id} .*read.*products.*the shop$", listed, re.MULTILINE)
    assert token not in listed
    assert dev("keys", "revoke", id, *state).returncode == 0
    assert re.search(rf"^{id} .*revoked", dev("keys", "list", *state).stdout, re.MULTILINE)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        assert answer.code == 401


def test_what_cannot_be_done_is_said(stack: dict[str, Any]) -> None:
    state = ["--state", str(Path(stack["mail_dir"]).parent)]
    refused = dev("keys", "create", "x", "--scope", "read", "--dataset", "nothing", *state)
    assert (refused.returncode, "422" in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
    assert dev("keys", "revoke", "no-id", *state).returncode == 1
