"""Which addresses of a host are tried, and for how long, where one IP version works or none."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest
import trustme

from benchmarks.installation.scripted_server import closed_port, context_of, full_port, listening
from tests.outbound.outcome_of import PATIENT, send
from tests.outbound.scripts import script_of
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.transport.deadline import Limits

HOOK = "https://hooks.example.com/canary"
CONNECT = socket.create_connection
Place = tuple[str, int]

# What a network with NAT64 makes of a host with two IPv4 addresses.
TRANSLATED = ["64:ff9b::5db8:d822", "64:ff9b::5db8:d823"]
IPV4 = ["93.184.216.34", "93.184.216.35"]
NO_ROUTE = ("255.255.255.255", 443)


class Network:
    """Places on this machine that stand for public addresses. An address without one has no route."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.tried: list[str] = []

    def connect(self, address: Place, timeout: float) -> socket.socket:
        self.tried.append(address[0])
        return CONNECT(self.places.get(address[0], NO_ROUTE), timeout)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(socket, "create_connection", network.connect)
    return network


@pytest.fixture(scope="module")
def places(authority: trustme.CA) -> Iterator[Mapping[str, Place]]:
    """A receiver, a port that refuses connections and one that never responds."""
    with ExitStack() as stack:
        context = context_of(authority.issue_cert("hooks.example.com"))
        receiver = stack.enter_context(listening(script_of("plain", {"status": 200}), context))
        yield {
            "receiver": ("127.0.0.1", receiver.port),
            "refuses": ("127.0.0.1", closed_port()),
            "silent": ("127.0.0.1", stack.enter_context(full_port())),
        }


def code_of(answers: list[str], ca_file: Path, limits: Limits = PATIENT) -> str:
    """Return "ok", or the code of a post to a public host with these addresses."""
    try:
        send(HOOK, policy=Policy(ca_file=str(ca_file)), resolver=lambda host: answers, limits=limits)
    except DeliveryFailed as failure:
        return failure.code
    return "ok"


def test_a_receiver_is_reached_by_nat64_at_the_address_that_was_checked(
    network: Network, places: Mapping[str, Place], ca_file: Path
) -> None:
    network.places = {TRANSLATED[0]: places["receiver"]}
    assert code_of(TRANSLATED + IPV4, ca_file) == "ok"
    assert network.tried == TRANSLATED[:1]


@pytest.mark.parametrize("broken", ["no route", "refuses", "silent"])
@pytest.mark.parametrize(
    ("answers", "tried"),
    [
        (TRANSLATED + IPV4, [TRANSLATED[0], IPV4[0]]),
        (IPV4 + TRANSLATED, [IPV4[0], TRANSLATED[0]]),
        (["2606:4700:4700::1111", *TRANSLATED, *IPV4], ["2606:4700:4700::1111", IPV4[0]]),
        (IPV4, IPV4),
        (TRANSLATED, TRANSLATED),
    ],
    ids=["ipv6 first", "ipv4 first", "native ipv6 first", "ipv4 only", "ipv6 only"],
)
def test_a_receiver_is_reached_by_the_other_ip_version_if_the_first_address_is_broken(
    network: Network, places: Mapping[str, Place], ca_file: Path, answers: list[str], tried: list[str], broken: str
) -> None:
    network.places = {tried[0]: places.get(broken, NO_ROUTE), tried[1]: places["receiver"]}
    started = monotonic()
    assert code_of(answers, ca_file, Limits(connect=1.0)) == "ok"
    assert network.tried == tried
    assert monotonic() - started < Limits.whole


@pytest.mark.parametrize("answers", [TRANSLATED + IPV4, IPV4 + TRANSLATED], ids=["ipv6 first", "ipv4 first"])
@pytest.mark.parametrize(
    ("broken", "code"), [("refuses", Code.CONNECT_REFUSED), ("silent", Code.CONNECT_TIMEOUT)], ids=["refuses", "silent"]
)
def test_a_missing_route_for_one_ip_version_does_not_hide_what_the_receiver_did(
    network: Network, places: Mapping[str, Place], ca_file: Path, answers: list[str], broken: str, code: Code
) -> None:
    network.places = {IPV4[0]: places[broken]}
    assert code_of(answers, ca_file, Limits(connect=0.5)) == code


@pytest.mark.slow
def test_two_silent_addresses_take_no_longer_than_one(
    network: Network, places: Mapping[str, Place], ca_file: Path
) -> None:
    network.places = dict.fromkeys(TRANSLATED + IPV4, places["silent"])
    started = monotonic()
    assert code_of(TRANSLATED + IPV4, ca_file, Limits(connect=1.0)) == Code.CONNECT_TIMEOUT
    assert 0.9 < monotonic() - started < 2 * Limits.connect


def test_no_route_at_all_is_an_unreachable_network(network: Network, ca_file: Path) -> None:
    assert code_of(TRANSLATED + IPV4, ca_file) == Code.NETWORK_UNREACHABLE
