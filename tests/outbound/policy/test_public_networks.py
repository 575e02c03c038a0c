"""The network addresses that messages may be sent to."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.outbound.policy.public_networks import is_allowed, is_allowed_answer, is_this_machine

EDGES_V4 = [
    ("0.0.0.0", "0.255.255.255", None, "1.0.0.0"),
    ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
    ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
    ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
    ("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
    ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
    ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
    ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
    ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
    ("192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"),
    ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
    ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
    ("198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"),
    ("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"),
    ("224.0.0.0", "255.255.255.255", "223.255.255.255", None),
]
EDGES_V6 = [
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff:ffff::", "2003::"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::", "3fff:1000::"),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, "2000::"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff::", None),
]
EDGES = EDGES_V4 + EDGES_V6
REFUSED = [address for first, last, _, _ in EDGES for address in (first, last)]
ALLOWED = [address for _, _, before, after in EDGES for address in (before, after) if address is not None]
# Half of them lie in or beside a refused range, which random addresses hardly ever do.
IPV4 = st.one_of(
    st.ip_addresses(v=4),
    st.sampled_from([ip_address(edge) for edges in EDGES_V4 for edge in edges if edge is not None]),
)
NETWORKS_V4 = st.builds(lambda first, length: IPv4Network((first, length), strict=False), IPV4, st.integers(0, 32))


def translated(address: IPv4Address, prefix: str = "64:ff9b::") -> IPv6Address:
    """Return what the resolver of a network with NAT64 makes of an IPv4 address."""
    return IPv6Address(int(IPv6Address(prefix)) + int(address))


@pytest.mark.parametrize("address", REFUSED)
def test_both_ends_of_a_refused_range_are_refused(address: str) -> None:
    assert not is_allowed(ip_address(address))


@pytest.mark.parametrize("address", ALLOWED)
def test_the_neighbours_of_a_refused_range_are_allowed(address: str) -> None:
    assert is_allowed(ip_address(address))


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_checked_as_its_ipv4_address(address: object) -> None:
    assert is_allowed(ip_address(f"::ffff:{address}")) == is_allowed(ip_address(str(address)))


def test_an_address_with_a_zone_is_refused() -> None:
    assert not is_allowed(ip_address("2606:4700:4700::1111%eth0"))


@pytest.mark.parametrize("address", ["11.0.0.7", "::ffff:11.0.0.7"])
def test_a_network_denied_by_the_administrator_is_refused(address: str) -> None:
    assert not is_allowed(ip_address(address), [ip_network("11.0.0.0/24")])


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_an_address_of_this_machine_is_recognized(address: str) -> None:
    assert is_this_machine(ip_address(address))


def test_a_foreign_address_is_not_taken_for_this_machine() -> None:
    assert not is_this_machine(ip_address("93.184.216.34"))


@given(IPV4)
def test_an_answer_of_nat64_is_allowed_if_its_ipv4_address_is(address: IPv4Address) -> None:
    assert is_allowed_answer(translated(address)) == is_allowed(address)


@given(IPV4, NETWORKS_V4)
def test_an_answer_of_nat64_is_refused_if_its_ipv4_address_is_in_a_denied_network(
    address: IPv4Address, denied: IPv4Network
) -> None:
    allowed = is_allowed(address) and address not in denied
    assert is_allowed_answer(translated(address), [denied]) == allowed


@given(IPV4, st.integers(0, 128))
def test_an_answer_of_nat64_is_refused_if_it_is_in_a_denied_network_itself(address: IPv4Address, length: int) -> None:
    assert not is_allowed_answer(
        translated(address), [ip_network("11.0.0.0/8"), ip_network((translated(address), length), strict=False)]
    )


@given(IPV4, st.sampled_from(["64:ff9b:1::", "64:ff9b:1:fffe::", "64:ff9b::1:0:0", "64:ff9a:ffff::", "::", "2002::"]))
def test_an_answer_in_another_prefix_is_refused_whatever_it_contains(address: IPv4Address, prefix: str) -> None:
    assert not is_allowed_answer(translated(address, prefix))


@given(IPV4)
def test_a_typed_address_of_nat64_is_refused_whatever_it_contains(address: IPv4Address) -> None:
    assert not is_allowed(translated(address))


@pytest.mark.parametrize("address", REFUSED + ALLOWED)
def test_any_other_answer_is_judged_as_if_it_were_typed(address: str) -> None:
    assert is_allowed_answer(ip_address(address)) == is_allowed(ip_address(address))


def test_an_answer_of_nat64_with_a_zone_is_refused() -> None:
    assert not is_allowed_answer(ip_address("64:ff9b::5db8:d822%eth0"))


@pytest.mark.parametrize("address", ["64:ff9b::127.0.0.1", "64:ff9b::7f00:1"])
def test_an_answer_of_nat64_that_leads_to_this_machine_is_recognized(address: str) -> None:
    assert is_this_machine(ip_address(address))


def test_an_answer_of_nat64_that_leads_elsewhere_is_not_taken_for_this_machine() -> None:
    assert not is_this_machine(ip_address("64:ff9b::5db8:d822"))
