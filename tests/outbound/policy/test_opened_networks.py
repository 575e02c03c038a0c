"""The private networks that an administrator may open, and the addresses that stay closed whatever is set."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.outbound.policy.opened_networks import explain_closed, is_opened
from webapp.outbound.policy.public_networks import is_allowed

EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.42.42",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "fd00:42::42",
    "fd00:a9fe:a9fe::1",
    "fd00:100::100:200",
    "fe80::a9fe:a9fe",
]
CLOSED = [
    "0.0.0.0",
    "0.255.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "9.255.255.255",
    "11.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.5",
    "64:ff9b::10.0.0.5",
    "64:ff9b:1::10.0.0.5",
    "2002:a00:5::1",
    "2001::1",
    "fbff::1",
    "fe00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", METADATA + CLOSED)
def test_an_address_stays_closed_although_everything_is_opened(address: str) -> None:
    assert not is_opened(ip_address(address), EVERYTHING)


@pytest.mark.parametrize("address", METADATA + CLOSED)
def test_the_network_of_one_closed_address_cannot_be_opened(address: str) -> None:
    assert explain_closed(ip_network(address)) is not None


@pytest.mark.parametrize("network", PRIVATE)
def test_a_private_network_can_be_opened_as_a_whole_and_at_both_ends(network: str) -> None:
    opened = ip_network(network)
    assert explain_closed(opened) is None
    assert is_opened(opened[0], [opened])
    assert is_opened(opened[-1], [opened])


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "8.0.0.0/6", "172.0.0.0/11", "fc00::/6", "100.0.0.0/9"])
def test_a_network_that_is_wider_than_a_private_one_cannot_be_opened(network: str) -> None:
    assert explain_closed(ip_network(network)) is not None


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("127.0.0.0/30", "loopback"),
        ("::1/128", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("fe80::/64", "link-local"),
        ("224.0.0.0/8", "multicast"),
        ("ff02::/16", "multicast"),
        ("240.0.0.0/4", "broadcast"),
        ("64:ff9b::/96", "NAT64"),
        ("100.100.100.200/32", "credentials"),
        ("fd00:ec2::/64", "credentials"),
        ("8.8.8.0/24", "not a private network"),
        ("2600::/32", "not a private network"),
        ("0.0.0.0/0", "every address"),
    ],
)
def test_the_reason_is_named(network: str, reason: str) -> None:
    assert reason in str(explain_closed(ip_network(network)))


@given(st.ip_addresses())
def test_no_address_is_both_public_and_opened(address: object) -> None:
    found = ip_address(str(address))
    assert not (is_allowed(found) and is_opened(found, EVERYTHING))


def test_a_denied_network_wins_over_an_opened_one() -> None:
    opened, denied = [ip_network("10.0.0.0/8")], [ip_network("10.1.0.0/16")]
    assert is_opened(ip_address("10.2.0.1"), opened, denied)
    assert not is_opened(ip_address("10.1.0.1"), opened, denied)


def test_the_neighbours_of_an_opened_network_stay_closed() -> None:
    opened = [ip_network("192.168.4.0/24")]
    assert is_opened(ip_address("192.168.4.0"), opened)
    assert not is_opened(ip_address("192.168.3.255"), opened)
    assert not is_opened(ip_address("192.168.5.0"), opened)


def test_a_scoped_address_stays_closed() -> None:
    assert not is_opened(ip_address("fd00::5%eth0"), [ip_network("fc00::/7")])
