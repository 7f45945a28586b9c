"""Where on the web we go: how a URL must be written, and which addresses are on the public internet.

An address is judged after its name was resolved, and the very address that was judged is connected to: a name that
leads elsewhere the second time it is asked (DNS rebinding) gains nothing.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from chalicelib.errors import UrlRefused

MOST_URL = 8192  # characters
_HTTPS, _HTTP = 443, 80
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,252})")
_PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without blanks and backslashes, about which parsers disagree
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # no name's last label (RFC 3696)
_SHOWN = 200  # characters of a path

# IANA's registries of special-purpose addresses (RFC 6890), written out: the standard library's idea of them changes
# with its version. What may be global there and is no host's to serve from (AS112, 6to4 relays) is left out as well.
_NOT_PUBLIC_4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carriers' own
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's metadata, behind a public number
        "169.254.0.0/16",  # link-local, and with it the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # all that was ever given out: loopback, private, link-local ... lie elsewhere
_NOT_PUBLIC_6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments; Teredo, which holds an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # how networks without IPv4 reach it (RFC 6052)


def is_public(address: str) -> bool:
    """Tell whether anyone on the internet may be meant by this numeric address. One with a zone is nobody's.

    Of addresses that hold an IPv4 address only NAT64's are, where that one is: the others (mapped, compatible, 6to4,
    Teredo) have no honest use here.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_public_4(parsed)
    if parsed.scope_id is not None:
        return False
    if parsed in _NAT64:
        return _is_public_4(IPv4Address(parsed.packed[-4:]))
    return _is_public_6(parsed)


def is_numeric(host: str) -> bool:
    """Tell whether a host is an address already, in any spelling that resolvers take for one (``127.1``)."""
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_4)


def _is_public_6(address: IPv6Address) -> bool:
    return address in _GLOBAL_6 and not any(address in network for network in _NOT_PUBLIC_6)


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts. ``path`` has the query with it, which may hold secrets; ``shown`` has not."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as ``origin_of`` gives them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header and to a person: without the port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (_HTTPS if self.scheme == "https" else _HTTP) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """What of it may be shown and logged: no query, and not much of a path."""
        path = self.path.partition("?")[0]
        return f"{self.scheme}://{self.authority}{path if len(path) <= _SHOWN else path[:_SHOWN] + '...'}"


def parse_url(text: str) -> Url:
    """An absolute URL, http or https; its fragment is left out.

    Raises:
        UrlRefused: it is none, or is written in a way that programs do not agree about. Nothing of it is repeated.
    """
    if len(text) > MOST_URL:
        raise UrlRefused("bad-url", f"the URL is longer than {MOST_URL} characters")
    if not _PRINTABLE.fullmatch(text):
        message = "the URL is empty or has blanks, control characters, backslashes or other than ASCII: percent-encode"
        raise UrlRefused("bad-url", message)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlRefused("bad-url", "the URL's host or port is none") from None
    if parts.scheme not in ("http", "https"):
        raise UrlRefused("bad-url", "the URL must begin with https://")
    if "@" in parts.netloc:
        raise UrlRefused("bad-url", "the URL must not hold a user or a password")
    if not (_is_ipv6(host) if "[" in parts.netloc else _HOST.fullmatch(host)) or port == 0:
        raise UrlRefused("bad-url", "the URL's host or port is none")
    path = parts.path or "/"
    return Url(
        scheme=parts.scheme,
        host=host.rstrip("."),
        port=port or (_HTTPS if parts.scheme == "https" else _HTTP),
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def origin_of(text: str) -> str:
    """The origin of a URL, with its port. Raises UrlRefused as ``parse_url``."""
    return parse_url(text).origin


def _is_ipv6(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return isinstance(address, IPv6Address) and address.scope_id is None
