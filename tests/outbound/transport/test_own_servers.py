"""The installation's own servers, which no message may reach by whatever name or port."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from threading import Event
from time import monotonic

import pytest

from tests.outbound.outcome_of import failing
from webapp.failures import Cause, Code, DeliveryFailed
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.policy.allowed_targets import Policy
from webapp.outbound.policy.urls import read_url
from webapp.outbound.transport import own_servers
from webapp.outbound.transport.allowed_addresses import find_addresses
from webapp.outbound.transport.dns import Resolver
from webapp.outbound.transport.own_servers import find_own_addresses

OPENED = Policy(
    opened_networks=(ip_network("10.0.0.0/8"), ip_network("fd12::/16")),
    opened_ports=frozenset({22, 80, 443, 5432, 6379}),
    own_servers=("db.lan", "10.0.0.7", "fd12::7"),
)
DATABASE = {"db.lan": ["10.0.0.6", "fd12::6"]}


def resolving(**answers: list[str]) -> Resolver:
    """Return a resolver that knows the database, and these hosts of one label."""
    return lambda host: (DATABASE | answers)[host]


def failure_of(url: str, resolver: Resolver, policy: Policy = OPENED, seconds: float = 3.0) -> DeliveryFailed | None:
    try:
        find_addresses(read_url(url), policy, resolver, seconds, ExchangeRecorder())
    except DeliveryFailed as failure:
        return failure
    return None


def code_of(url: str, resolver: Resolver, policy: Policy = OPENED) -> Code | None:
    failure = failure_of(url, resolver, policy)
    return failure.code if failure else None


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets the clock of the answers go on."""
    passed = [0.0]
    monkeypatch.setattr(own_servers, "monotonic", lambda: monotonic() + passed[0])
    return lambda seconds: passed.append(passed.pop() + seconds)


@pytest.mark.parametrize("port", [22, 80, 443, 5432, 6379])
@pytest.mark.parametrize("host", ["10.0.0.6", "10.0.0.7", "[fd12::6]", "[fd12::7]"])
def test_an_own_server_is_refused_by_its_address_on_every_port(host: str, port: int) -> None:
    assert code_of(f"http://{host}:{port}/x", resolving()) is Code.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("answer", ["10.0.0.6", "10.0.0.7", "fd12::6", "fd12::7"])
def test_an_own_server_is_refused_by_another_name(answer: str) -> None:
    assert code_of("http://other:5432/x", resolving(other=["10.9.9.9", answer])) is Code.TARGET_NOT_ALLOWED


def test_the_neighbour_of_an_own_server_is_reached() -> None:
    assert code_of("http://10.0.0.8:6379/x", resolving()) is None


def test_an_own_server_that_moved_is_refused_at_its_new_address_after_a_short_time(
    pass_time: Callable[[float], None],
) -> None:
    answers = {"db.lan": ["10.0.0.6"]}

    def resolver(host: str) -> list[str]:
        return answers[host]

    assert code_of("http://10.0.0.9/x", resolver) is None
    answers["db.lan"] = ["10.0.0.9"]
    pass_time(own_servers.KEPT - 1)
    assert code_of("http://10.0.0.6/x", resolver) is Code.TARGET_NOT_ALLOWED
    pass_time(1)
    assert code_of("http://10.0.0.9/x", resolver) is Code.TARGET_NOT_ALLOWED


def test_an_answer_is_used_again_for_a_short_time(pass_time: Callable[[float], None]) -> None:
    asked: list[str] = []

    def resolver(host: str) -> list[str]:
        asked.append(host)
        return ["10.0.0.6"]

    for _ in range(3):
        find_own_addresses(["db.lan"], "receiver.lan", resolver, 3.0)
    assert asked == ["db.lan"]
    pass_time(own_servers.KEPT)
    find_own_addresses(["db.lan"], "receiver.lan", resolver, 3.0)
    assert asked == ["db.lan", "db.lan"]


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_NONAME, socket.EAI_FAIL])
def test_nothing_is_sent_if_an_own_server_cannot_be_looked_up(number: int) -> None:
    failure = failure_of("http://10.0.0.9/x", failing(number))
    assert failure is not None
    assert (failure.code, failure.facts.cause) == (Code.NETWORK_UNREACHABLE, Cause.OWN_SERVER_UNKNOWN)
    assert failure.may_retry
    assert "10.0.0.9 was not contacted" in failure.message
    assert "db.lan" not in failure.message


def test_a_failed_look_up_is_not_used_again() -> None:
    answers: Iterator[object] = iter([socket.gaierror(socket.EAI_AGAIN, ""), ["10.0.0.6"]])

    def resolver(host: str) -> list[str]:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return ["10.0.0.6"]

    assert code_of("http://10.0.0.9/x", resolver) is Code.NETWORK_UNREACHABLE
    assert code_of("http://10.0.0.9/x", resolver) is None


@pytest.mark.parametrize("answer", [[], ["not an address"]])
def test_nothing_is_sent_if_the_answer_for_an_own_server_is_unusable(answer: list[str]) -> None:
    assert code_of("http://10.0.0.9/x", lambda host: answer) is Code.NETWORK_UNREACHABLE


def test_all_look_ups_of_own_servers_share_one_limit_of_time() -> None:
    policy = replace(OPENED, own_servers=("a.lan", "b.lan", "c.lan"))
    started = monotonic()
    failure = failure_of("http://10.0.0.9/x", lambda host: [str(Event().wait(30))], policy, seconds=0.3)
    assert failure is not None
    assert failure.facts.cause is Cause.OWN_SERVER_UNKNOWN
    assert monotonic() - started < 10


def test_a_public_receiver_needs_no_look_up_of_own_servers() -> None:
    asked: list[str] = []

    def resolver(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"]

    assert code_of("https://hooks.example.com/x", resolver) is None
    assert asked == ["hooks.example.com"]


def test_an_ipv4_mapped_answer_for_an_own_server_counts_as_its_ipv4_address() -> None:
    assert find_own_addresses(["db.lan"], "x", lambda host: ["::ffff:10.0.0.6"], 3.0) == {ip_address("10.0.0.6")}


def test_another_spelling_of_an_own_servers_address_is_left_to_the_resolver() -> None:
    assert find_own_addresses(["10.6"], "x", lambda host: ["10.0.0.6"], 3.0) == {ip_address("10.0.0.6")}
