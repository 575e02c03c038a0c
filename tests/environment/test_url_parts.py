"""URLs of servers: split as RFC 3986 defines it, or refused with the way to write them."""

import re

import pytest

from webapp.environment.url_parts import find_scheme, split_url


def _refuse(url: str) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        split_url(url)
    return str(caught.value)


def test_a_url_is_split_into_its_parts() -> None:
    parts = split_url("Redis://m%40e:a%2Fb:c@Host.Example.:6379/0?x=1@2")

    assert (parts.scheme, parts.username, parts.password) == ("redis", "m@e", "a/b:c")
    assert (parts.host, parts.port, parts.path, parts.query) == ("host.example", 6379, "/0", "x=1@2")
    assert parts.text == "redis://m%40e:a%2Fb:c@host.example:6379/0?x=1@2"


@pytest.mark.parametrize(
    ("url", "username", "password"),
    [
        ("x://host", None, None),
        ("x://@host", "", None),
        ("x://me@host", "me", None),
        ("x://me:@host", "me", ""),
        ("x://:pw@host", "", "pw"),
        ("x://me@corp:pw@host", "me@corp", "pw"),
        (r"x://CORP\me:p^w{}|@host", r"CORP\me", "p^w{}|"),
        ("x://me:p%20%E4%BD%A0@host", "me", "p 你"),
        ("x://me:pässword@host", "me", "pässword"),
    ],
)
def test_a_user_name_and_a_password_are_decoded(url: str, username: str | None, password: str | None) -> None:
    parts = split_url(url)

    assert (parts.username, parts.password) == (username, password)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("x://HOST", "host", None),
        ("x://host.", "host", None),
        ("x://my_service:1", "my_service", 1),
        ("x://[::1]:65535/", "[::1]", 65535),
        ("x://10.0.0.1:", "10.0.0.1", None),
        ("x:///path", "", None),
        ("x://me@/path", "", None),
    ],
)
def test_a_host_and_a_port_are_read(url: str, host: str, port: int | None) -> None:
    parts = split_url(url)

    assert (parts.host, parts.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "x://me:canary/b@host/db",
        "x://me:canary#b@host/db",
        "x://me:canary?b@host/db",
        "x://me:b?canary=c@host",
        "x://me:canary@b@host/db",
        "x://me:canary%b@host/db",
        "x://me:canary%@host/db",
        "x://me:canary%zz@host/db",
        "x://me:canary[b@host/db",
        "x://:canary/@b@host",
        "x://me:canary/b#c?d@e%@host/db",
        "x://me:canary@host/db#fragment",
        "x://me:can ary@host/db",
        "x://me:can\tary@host",
        "x://me:12/canary@host",
        "x://me:canary/b:c@host?x",
    ],
)
def test_an_unencoded_character_in_a_password_is_refused_with_the_way_to_write_it(url: str) -> None:
    sentence = _refuse(url)

    assert "write / as %2F, @ as %40, # as %23, ? as %3F and % as %25" in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("character", "/@#?%[]")
def test_the_way_to_write_a_character_is_right(character: str) -> None:
    written = dict(re.findall(r"(\S) as (%[0-9A-F]{2})", _refuse("x://me:a@b@host")))

    assert split_url(f"x://me:a{written[character]}b@host").password == f"a{character}b"


@pytest.mark.parametrize("password", ["%00", "%0A", "%0d%0a", "%FF", "%E2%80%8B", "%7F"])
def test_an_encoded_character_that_nobody_can_type_is_refused(password: str) -> None:
    assert "an invisible or broken character" in _refuse(f"x://me:canary{password}@host")


@pytest.mark.parametrize("port", ["0", "65536", "canary", "6379a", "-1", "+1", "1_0", "٣", "99999999999999999999"])
def test_a_port_out_of_range_is_refused(port: str) -> None:
    assert "a port that is not a number from 1 to 65535" in _refuse(f"x://host:{port}/0")


@pytest.mark.parametrize("hosts", ["a,b", "a:1,b:2", "me:pw@a,b"])
def test_several_hosts_are_refused(hosts: str) -> None:
    assert "names several hosts. Give one name or address" in _refuse(f"x://{hosts}/db")


@pytest.mark.parametrize("host", ["*", "a..b", "[canary]", "[::canary]", "%2Frun", "ho;st", "$HOST", "[]"])
def test_an_invalid_host_is_refused(host: str) -> None:
    assert "has no valid host" in _refuse(f"x://{host}/db")


@pytest.mark.parametrize("host", ["::1", "2001:db8::1:5432", "me:b:c:d"])
def test_an_ipv6_address_without_brackets_is_refused(host: str) -> None:
    assert "Put an IPv6 address in brackets" in _refuse(f"x://{host}/db")


@pytest.mark.parametrize("url", ["", "host", "host:5432/db", "//host", "://host", "http:host"])
def test_a_url_without_a_scheme_is_refused(url: str) -> None:
    assert "has no scheme in front of ://" in _refuse(url)
    assert find_scheme(url) == ""


def test_printed_parts_contain_no_secret() -> None:
    assert "canary" not in repr(split_url("x://canary:canary@host/canary?canary"))
