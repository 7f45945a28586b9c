"""Secrets Manager: where the database's URL and the key of webhooks' secrets are kept on AWS."""

from chalicelib.adapters.aws import calling, client
from chalicelib.errors import Terminal

_LEAST_KEY = 32  # characters


def read_secret(arn: str) -> str:
    """The secret's text. Raises Transient when it cannot be read."""
    with calling("reading a secret"):
        secret: str = client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        return secret


def read_key(key: str | None, arn: str | None) -> bytes:
    """The key itself, or the one in this secret.

    Raises:
        Terminal: there is none, or one that could be guessed.
        Transient: it cannot be read.
    """
    text = read_secret(arn) if arn else key or ""
    if len(text) < _LEAST_KEY:
        raise Terminal("settings", f"there is no key of {_LEAST_KEY} characters or more for the webhooks' secrets")
    return text.encode()
