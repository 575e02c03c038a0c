"""What a limit on test sends counts: one target, whatever its spelling."""

from ipaddress import ip_network

import pytest

from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.counted_targets import SendTarget, TargetKind, find_host, find_recipients, find_url
from webapp.outbound.policy.urls import Origin

POLICY = Policy(trusted_origins=frozenset({Origin("http", "receiver.lan", 8080)}))
HOSTS = ("hooks.example.com", "*.flows.example.com")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/a", "example.com"),
        ("HTTPS://EXAMPLE.com./b?c=1", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("https://example.com:8443/", "example.com"),
        ("http://example.com/", "example.com"),
        (" https://example.com/\n", "example.com"),
        ("https://faß.example.com/", "xn--fa-hia.example.com"),
        ("https://XN--FA-hia.example.com/", "xn--fa-hia.example.com"),
        ("https://ｅxample.com/", "example.com"),
        ("https://93.184.215.14/", "93.184.215.14"),
        ("https://[2606:2800:21F:0:0:0:0:1]/", "2606:2800:21f::/64"),
        ("https://[2606:2800:21f::abcd:1]:443/", "2606:2800:21f::/64"),
        ("https://0x7f.1/", "0x7f.1"),
    ],
)
def test_every_spelling_of_a_host_is_one_target(url: str, host: str) -> None:
    assert find_host(url, POLICY) == (SendTarget(TargetKind.HOST, host),)


def test_hosts_differ_by_every_label_and_networks_by_their_64_bits() -> None:
    urls = (
        "https://a.example.com/",
        "https://b.example.com/",
        "https://[2606:2800::1]/",
        "https://[2606:2800:0:1::1]/",
    )

    assert len({find_host(url, POLICY) for url in urls}) == 4


@pytest.mark.parametrize("url", ["http://receiver.lan:8080/hook", "HTTP://Receiver.LAN.:8080/other"])
def test_a_trusted_origin_is_no_target(url: str) -> None:
    assert (find_host(url, POLICY), find_url(url, POLICY, HOSTS)) == ((), ())


@pytest.mark.parametrize("url", ["https://receiver.lan:8080/", "http://receiver.lan/"])
def test_another_origin_of_a_trusted_host_is_a_target(url: str) -> None:
    assert find_host(url, POLICY) == (SendTarget(TargetKind.HOST, "receiver.lan"),)


@pytest.mark.parametrize(
    "url", ["", "example.com", "ftp://example.com/", "https://", "https://[::1", "https://a@b/", "\0"]
)
def test_an_address_that_cannot_be_read_is_no_target(url: str) -> None:
    assert (find_host(url, POLICY), find_url(url, POLICY, HOSTS)) == ((), ())


def _name(url: str) -> str:
    (target,) = find_url(url, POLICY, HOSTS, frozenset({"sig"}))
    assert target.kind is TargetKind.URL
    return target.name


@pytest.mark.parametrize(
    "other",
    [
        "https://HOOKS.example.com.:443/services/T1/B1/x?sig=a",
        "https://hooks.example.com/services/T1/B1/x/?sig=a",
        "https://hooks.example.com//services///T1/./B1/x?sig=a",
        "https://hooks.example.com/services/T1/B0/../B1/%78?sig=a",
        "https://hooks.example.com/Services/t1/b1/X?sig=a",
        "https://hooks.example.com/services/T1/B1/x?n=1&sig=a&n=2",
        "https://hooks.example.com/services/T1/B1/x?SIG=%61",
    ],
)
def test_another_spelling_of_an_address_at_a_service_is_the_same_target(other: str) -> None:
    assert _name(other) == _name("https://hooks.example.com/services/T1/B1/x?sig=a")


@pytest.mark.parametrize(
    "other",
    [
        "https://a.flows.example.com/services/T1/B1/x?sig=a",
        "https://hooks.example.com/services/T2/B1/x?sig=a",
        "https://hooks.example.com/services/T1/B1/y?sig=a",
        "https://hooks.example.com/services/T1/B1/x?sig=b",
    ],
)
def test_another_address_at_the_same_service_is_another_target(other: str) -> None:
    assert _name(other) != _name("https://hooks.example.com/services/T1/B1/x?sig=a")


def test_on_a_host_that_the_administrator_added_every_character_of_the_address_counts() -> None:
    urls = ("/hook?id=1", "/hook?id=2", "/Hook?id=1", "/hook/?id=1")

    names = [_name(f"https://Added.example.org{url}") for url in urls]

    assert names == [f"https://added.example.org{url}" for url in urls]


def test_a_recipient_is_one_target_in_every_case_of_its_letters() -> None:
    assert find_recipients(["Desk@Example.COM", "desk@example.com.", " DESK@example.com"]) == (
        SendTarget(TargetKind.RECIPIENT, "desk@example.com"),
    )


def test_tags_and_dots_make_different_recipients() -> None:
    assert (
        len(find_recipients(["desk@example.com", "desk+a@example.com", "de.sk@example.com", "desk@a.example.com"])) == 4
    )


@pytest.mark.parametrize(
    "text", ["", "@", "desk", "desk@", "@example.com", "a@b@c", "desk@exa mple.com", "\0@\0", "ü@ü.de"]
)
def test_a_recipient_that_cannot_be_read_raises_nothing(text: str) -> None:
    assert len(find_recipients([text])) == 1


def test_a_target_is_not_in_its_repr() -> None:
    assert "canary" not in repr((find_host("https://canary.example/", POLICY), find_recipients(["canary@example.com"])))


@pytest.mark.parametrize("host", ["10.0.0.5", "receiver.lan", "[fd12::5]", "[fd12::6]"])
def test_a_private_host_is_a_target_of_its_own(host: str) -> None:
    opened = Policy(opened_networks=(ip_network("10.0.0.0/8"), ip_network("fd12::/16")))
    assert [target.name for target in find_host(f"http://{host}/x", opened)] == [host.strip("[]")]
