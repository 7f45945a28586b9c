"""Formats of strings: email, uri, uuid. Each is as strict as its standard, in ASCII, and nothing is looked up."""

import re
from collections.abc import Callable
from ipaddress import IPv6Address

from chalicelib.core.repeat import any_number

EMAIL = "email"
URI = "uri"
UUID = "uuid"

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*").fullmatch
_LONGEST_EMAIL = 254
_UUID = re.compile("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}").fullmatch
_NAME = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
_URI = re.compile(
    rf"[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(?://(?:(?:{_NAME}|:)*@)?(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|{any_number(_NAME)})(?::[0-9]*)?(?=[/?#]|\Z)|(?!//))"
    rf"{any_number(f'{_NAME}|[:@/]')}(?:\?{any_number(f'{_NAME}|[:@/?]')})?(?:\#{any_number(f'{_NAME}|[:@/?]')})?"
).fullmatch

PLAIN = {
    EMAIL: r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9]{1,40}(?:-[A-Za-z0-9]{1,20})?"
    r"\.[A-Za-z0-9]{1,40}(?:\.[A-Za-z0-9]{1,40})?",
    URI: r"https?://[A-Za-z0-9.-]{1,255}(?:/[A-Za-z0-9._~/-]{0,999})?",
    UUID: "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
}
"""For each format a pattern of surely good values, plain enough for ``patterns.embed``."""


def parse_email(text: str) -> str | None:
    """HTML's valid address (https://html.spec.whatwg.org/#valid-e-mail-address), of at most 254 characters."""
    return text if len(text) <= _LONGEST_EMAIL and _EMAIL(text) else None


def parse_uri(text: str) -> str | None:
    """RFC 3986's ``URI``: it has a scheme, and all else is in its place and its characters."""
    match = _URI(text)
    if match is None:
        return None
    try:
        return text if match["ip"] is None or IPv6Address(match["ip"]) is not None else None
    except ValueError:
        return None


def parse_uuid(text: str) -> str | None:
    """RFC 9562's text form, of any version; upper case means the same as lower, which is what comes back."""
    return text.lower() if _UUID(text) else None


PARSERS: dict[str, Callable[[str], str | None]] = {EMAIL: parse_email, URI: parse_uri, UUID: parse_uuid}
