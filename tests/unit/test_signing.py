"""Signatures are what Standard Webhooks says: its own library believes them, and no others."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chalicelib.core.signing import derive_secret, sign, spell_secret

WEBHOOK = UUID("0193d2a4-0000-7000-8000-000000000000")
KEY = b"a key of the deployment, of 32 or more bytes"
bodies = st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)


def headers(secrets: list[bytes], id: str, body: bytes) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    return {"webhook-id": id, "webhook-timestamp": str(now), "webhook-signature": sign(secrets, id, now, body)}


@given(bodies, st.binary(min_size=1), st.uuids())
def test_what_we_sign_the_standards_library_believes(body: bytes, secret: bytes, id: UUID) -> None:
    Webhook(spell_secret(secret)).verify(body, headers([secret], str(id), body), json_parse=False)


@given(bodies, st.binary(min_size=1), st.binary(min_size=1))
def test_while_secrets_change_either_of_them_will_do(body: bytes, new: bytes, old: bytes) -> None:
    signed = headers([new, old], "an-id", body)
    for secret in (new, old):
        Webhook(spell_secret(secret)).verify(body, signed, json_parse=False)


@pytest.mark.parametrize("change", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_whatever_is_changed_is_noticed(change: str) -> None:
    secret = derive_secret(KEY, WEBHOOK, b"salt")
    signed, body = headers([secret], "an-id", b"{}"), b"{}"
    if change == "body":
        body = b"{ }"
    elif change == "secret":
        secret = derive_secret(KEY, WEBHOOK, b"pepper")
    elif change == "webhook-timestamp":
        signed[change] = str(int(signed[change]) - 1)
    else:
        signed[change] += "x"
    with pytest.raises(WebhookVerificationError):
        Webhook(spell_secret(secret)).verify(body, signed, json_parse=False)


def test_the_example_of_the_standard_comes_out() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py
    secret = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")._whsecret
    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_is_the_same_each_time_and_another_for_each_webhook_salt_and_key() -> None:
    secrets = {
        derive_secret(key, webhook, salt)
        for key in (KEY, KEY + b"!")
        for webhook in (WEBHOOK, UUID(int=0))
        for salt in (b"salt", b"pepper")
    }
    assert len(secrets) == 8
    assert {len(secret) for secret in secrets} == {32}  # the standard asks for 24 to 64
    assert derive_secret(KEY, WEBHOOK, b"salt") in secrets
