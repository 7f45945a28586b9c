from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.addresses import is_public, parse_url
from chalicelib.errors import UrlRefused

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "fe80::1%eth0",
    "2600::1%eth0",
    "localhost",
    "1.2.3",
    "0177.0.0.1",
    "2130706433",
    "0x7f000001",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "52.95.110.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00::1",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_no_host_on_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_one_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_every_public_address_is_global_to_the_standard_library_too(address: IPv4Address) -> None:
    assert not is_public(str(address)) or (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=6))
def test_every_public_ipv6_address_is_too(address: IPv6Address) -> None:
    held = address in ip_network("64:ff9b::/96")
    assert not is_public(str(address)) or held or (address.is_global and not address.is_multicast)


@given(st.ip_addresses(v=4))
def test_an_address_is_as_public_in_nat64_as_it_is_and_never_in_another_guise(address: IPv4Address) -> None:
    number = int(address)
    assert is_public(str(IPv6Address((0x64FF9B << 96) + number))) == is_public(str(address))
    for guise in ((0xFFFF << 32) + number, number, (0x2002 << 112) + (number << 80)):
        assert not is_public(str(IPv6Address(guise)))


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("https://example.com", "example.com", 443, "/"),
        ("https://Example.COM./a/b.csv?sig=x%20y#part", "example.com", 443, "/a/b.csv?sig=x%20y"),
        ("HTTPS://example.com:8443/?q", "example.com", 8443, "/?q"),
        ("http://[::1]:80/x", "::1", 80, "/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
    ],
)
def test_a_url_is_taken_apart(text: str, host: str, port: int, path: str) -> None:
    url = parse_url(text)
    assert (url.host, url.port, url.path) == (host, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/file.csv",
        "ftp://example.com/file.csv",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https:///file.csv",
        "https://",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https://exa mple.com/",
        "https://example.com\\@evil.example/",
        "https://example.com/\r\nX-Evil: 1",
        "https://exa\tmple.com/",
        "https://exämple.com/",
        "https://example.com/ü",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://[v1.x]/",
        "https://%6c%6f/",
        "https://-x/",
        "https://./",
        "https://example.com/" + "a" * 10_000,
    ],
)
def test_a_url_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UrlRefused) as refused:
        parse_url(text)
    assert refused.value.code == "bad-url"
    assert "secret" not in refused.value.message
    assert "example" not in refused.value.message


@given(st.text(max_size=60).map(lambda text: "https://" + text))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        url = parse_url(text)
    except UrlRefused:
        return
    assert url.path.isascii()
    assert parse_url(url.origin + url.path) == url


def test_what_is_shown_has_no_query_and_not_much_of_a_path() -> None:
    shown = parse_url("https://example.com:8443/a/b.csv?X-Amz-Signature=secret").shown
    assert shown == "https://example.com:8443/a/b.csv"
    assert len(parse_url("https://example.com/" + "a" * 8000).shown) < 300
