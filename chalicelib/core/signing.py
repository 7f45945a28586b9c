"""How a webhook's deliveries are signed: Standard Webhooks (https://www.standardwebhooks.com), symmetric, version 1."""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

SALT_BYTES = 32
_PREFIX = "whsec_"
_PURPOSE = b"dropload webhook secret 1\0"


def derive_secret(key: bytes, webhook: UUID, salt: bytes) -> bytes:
    """The secret of a webhook: 32 bytes that are the same whenever they are asked for, and stored nowhere.

    ``key`` is the deployment's, ``salt`` random and new for each secret. Neither alone tells anything of it.
    """
    return hmac.digest(key, _PURPOSE + webhook.bytes + salt, sha256)


def spell_secret(secret: bytes) -> str:
    """The secret as its receiver is given it."""
    return _PREFIX + b64encode(secret).decode()


def sign(secrets: Sequence[bytes], id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: a signature by each of the secrets, with blanks between them.

    ``id`` and ``timestamp`` (seconds since the epoch) are those of the headers ``webhook-id`` and
    ``webhook-timestamp``; ``id`` holds no full stop.
    """
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join("v1," + b64encode(hmac.digest(secret, signed, sha256)).decode() for secret in secrets)
