"""Looking the name of a target up once, within a time limit, and checking every address."""

import socket
from dataclasses import replace
from ipaddress import ip_network
from threading import Event
from time import monotonic
from typing import Any

import pytest

from tests.outbound.cases import cases
from tests.outbound.outcome_of import failing
from webapp.failures import Code, DeliveryFailed
from webapp.outbound.exchange_facts import ExchangeRecorder
from webapp.outbound.policy import public_networks
from webapp.outbound.policy.allowed_targets import Policy, check_url
from webapp.outbound.policy.urls import Origin, read_url
from webapp.outbound.transport import allowed_addresses as lookup
from webapp.outbound.transport.allowed_addresses import find_addresses
from webapp.outbound.transport.dns import Resolver
from webapp.settings.private_receivers import PrivateReceivers

STRICT = Policy()
HOOK = check_url("https://hooks.example.com/canary", STRICT)


def outcome_of(resolver: Resolver, policy: Policy = STRICT, seconds: float = 3.0) -> Code | None:
    """Return the code that a lookup fails with, or None if it succeeds."""
    try:
        find_addresses(HOOK, policy, resolver, seconds, ExchangeRecorder())
    except DeliveryFailed as failure:
        return failure.code
    return None


@pytest.mark.parametrize("case", cases("names"))
def test_an_attack_by_dns_gets_its_listed_outcome(case: dict[str, Any]) -> None:
    assert outcome_of(lambda host: case["answers"]) == case["outcome"]


@pytest.mark.parametrize("slug", ["harbor", "*", "clinic"])
@pytest.mark.parametrize("case", cases("names"))
def test_an_attack_by_dns_gets_its_listed_outcome_although_a_network_is_opened(case: dict[str, Any], slug: str) -> None:
    policy = PrivateReceivers({slug: (ip_network("10.0.0.0/8"),)}).open_for("harbor", STRICT)
    expected = case["outcome"] if slug == "clinic" else case.get("opened", case["outcome"])
    assert outcome_of(lambda host: case["answers"], policy) == expected


def test_a_name_that_turns_private_after_it_was_saved_is_refused() -> None:
    addresses = iter([["93.184.216.34"], ["10.0.0.5"]])
    assert outcome_of(lambda host: next(addresses)) is None
    assert outcome_of(lambda host: next(addresses)) is Code.TARGET_NOT_ALLOWED


def test_a_name_in_a_network_denied_by_the_administrator_is_refused() -> None:
    policy = Policy(denied_networks=(ip_network("93.184.216.0/24"),))
    assert outcome_of(lambda host: ["93.184.216.34"], policy) is Code.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("denied", ["93.184.216.0/24", "64:ff9b::/96", "64:ff9b::5db8:d800/120", "::/0"])
def test_an_answer_of_nat64_is_refused_if_either_of_its_addresses_is_denied(denied: str) -> None:
    policy = Policy(denied_networks=(ip_network(denied),))
    assert outcome_of(lambda host: ["64:ff9b::5db8:d822"], policy) is Code.TARGET_NOT_ALLOWED


def test_a_name_whose_translated_address_turns_private_is_refused() -> None:
    addresses = iter([["64:ff9b::5db8:d822"], ["64:ff9b::a00:5"]])
    assert outcome_of(lambda host: next(addresses)) is None
    assert outcome_of(lambda host: next(addresses)) is Code.TARGET_NOT_ALLOWED


def test_an_answer_of_nat64_is_returned_as_the_resolver_gave_it() -> None:
    answers = ["64:ff9b::93.184.216.34", "93.184.216.34"]
    assert find_addresses(HOOK, STRICT, lambda host: answers, 3.0, ExchangeRecorder()) == answers


def test_a_typed_address_of_nat64_is_refused_before_the_connection() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        find_addresses(
            read_url("https://[64:ff9b::5db8:d822]/x"), STRICT, failing(socket.EAI_FAIL), 1, ExchangeRecorder()
        )
    assert caught.value.code is Code.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("own", ["64:ff9b::5db8:d822", "93.184.216.34"])
def test_an_answer_of_nat64_that_leads_to_this_machine_is_refused(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_networks, "_is_own", lambda address: str(address) == own)
    assert outcome_of(lambda host: ["64:ff9b::5db8:d822"]) is Code.TARGET_NOT_ALLOWED


def test_a_trusted_origin_may_have_a_private_address() -> None:
    policy = Policy(trusted_origins=frozenset({Origin("https", "hooks.example.com", 443)}))
    assert outcome_of(lambda host: ["10.0.0.5"], policy) is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (socket.EAI_NONAME, Code.DNS_NOT_FOUND),
        (socket.EAI_NODATA, Code.DNS_NOT_FOUND),
        (socket.EAI_AGAIN, Code.DNS_TEMPORARY),
        (socket.EAI_FAIL, Code.DNS_TEMPORARY),
    ],
)
def test_a_failed_lookup_is_classified_by_its_number(number: int, code: Code) -> None:
    assert outcome_of(failing(number)) is code


def test_a_slow_resolver_is_abandoned_at_the_time_limit() -> None:
    started = monotonic()
    assert outcome_of(lambda host: [str(Event().wait(30))], seconds=0.2) is Code.DNS_TIMEOUT
    assert monotonic() - started < 1


def test_an_unexpected_resolver_error_is_raised_at_once_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def resolve(host: str) -> list[str]:
        ("a" * 64).encode("idna")
        return []

    started = monotonic()
    with pytest.raises(UnicodeError, match="label too long"):
        outcome_of(resolve)
    assert monotonic() - started < 1
    assert capfd.readouterr().err == ""


def test_the_resolver_is_asked_for_the_host_once() -> None:
    asked: list[str] = []
    outcome_of(lambda host: asked.append(host) or ["93.184.216.34"])  # type: ignore[func-returns-value]
    assert asked == ["hooks.example.com"]


def test_an_ip_address_is_not_looked_up() -> None:
    target = check_url("https://11.0.0.1/x", Policy())
    assert find_addresses(target, Policy(), failing(socket.EAI_FAIL), 1, ExchangeRecorder()) == ["11.0.0.1"]


def test_an_ip_address_is_checked_again_before_the_connection() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        find_addresses(read_url("https://127.0.0.1/x"), STRICT, failing(socket.EAI_FAIL), 1, ExchangeRecorder())
    assert caught.value.code is Code.TARGET_NOT_ALLOWED


@pytest.mark.parametrize("host", ["hooks.example.com", "11.0.0.1"])
def test_a_public_address_of_this_machine_is_refused_as_a_name_and_as_an_ip_address(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "is_this_machine", lambda address: str(address) == "11.0.0.1")
    with pytest.raises(DeliveryFailed) as caught:
        find_addresses(check_url(f"https://{host}/x", STRICT), STRICT, lambda name: ["11.0.0.1"], 1, ExchangeRecorder())
    assert caught.value.code is Code.TARGET_NOT_ALLOWED


def test_an_ip_address_of_a_trusted_origin_may_be_private() -> None:
    target = read_url("http://10.0.0.5:8080/x")
    policy = Policy(trusted_origins=frozenset({target.origin}))
    assert find_addresses(target, policy, failing(socket.EAI_FAIL), 1, ExchangeRecorder()) == ["10.0.0.5"]


OPENED = Policy(opened_networks=(ip_network("10.0.0.0/8"), ip_network("fd12::/16")))
PUBLIC = "93.184.216.34"


def outcome_at(url: str, *answers: str, policy: Policy = OPENED) -> Code | None:
    """Return the code that sending to `url` fails with if the DNS gives these answers, or None."""
    try:
        find_addresses(read_url(url), policy, lambda host: answers, 1, ExchangeRecorder())
    except DeliveryFailed as failure:
        return failure.code
    return None


@pytest.mark.parametrize("answers", [["10.0.0.5"], ["fd12::5"], ["10.0.0.5", "fd12::5"]])
@pytest.mark.parametrize("url", ["http://receiver.lan/x", "https://receiver/x", "http://hooks.example.com/x"])
def test_a_name_in_an_opened_network_is_reached(url: str, answers: list[str]) -> None:
    assert outcome_at(url, *answers) is None


@pytest.mark.parametrize(
    "answer",
    [
        "192.168.4.1",
        "fd13::5",
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fe80::1%eth0",
        "fd12::5%eth0",
        "::ffff:10.0.0.5",
        "64:ff9b::10.0.0.5",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::10.0.0.5",
        "2002:a00:5::1",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "receiver.lan",
        "",
    ],
)
@pytest.mark.parametrize("beside", [[], ["10.0.0.5"], ["fd12::5"], ["10.0.0.5", "10.0.0.6", "fd12::5"]])
def test_one_answer_that_is_not_opened_spoils_all(answer: str, beside: list[str]) -> None:
    assert outcome_at("http://receiver.lan/x", *beside, answer) is Code.TARGET_NOT_ALLOWED
    assert outcome_at("https://hooks.example.com/x", answer, *beside) is Code.TARGET_NOT_ALLOWED


def test_a_name_with_public_and_private_addresses_is_reached_where_both_are_allowed() -> None:
    assert outcome_at("https://hooks.example.com/x", PUBLIC, "10.0.0.5") is None
    assert outcome_at("http://hooks.example.com/x", PUBLIC, "10.0.0.5") is Code.SCHEME_NOT_ALLOWED
    on_80 = replace(OPENED, opened_ports=frozenset({80}))
    assert outcome_at("https://hooks.example.com/x", PUBLIC, "10.0.0.5", policy=on_80) is Code.PORT_NOT_ALLOWED


@pytest.mark.parametrize("answer", [PUBLIC, "2606:4700:4700::1111", "64:ff9b::5db8:d822"])
def test_nothing_goes_to_a_public_address_over_http_or_on_another_port(answer: str) -> None:
    assert outcome_at("http://receiver.lan/x", answer) is Code.SCHEME_NOT_ALLOWED
    assert outcome_at("https://receiver.lan:80/x", answer) is Code.PORT_NOT_ALLOWED


def test_the_port_of_a_private_address_is_checked_again() -> None:
    on_8080 = replace(OPENED, opened_ports=frozenset({8080}))
    assert outcome_at("http://receiver.lan:8080/x", "10.0.0.5", policy=on_8080) is None
    assert outcome_at("https://hooks.example.com/x", "10.0.0.5", policy=on_8080) is Code.PORT_NOT_ALLOWED
    assert outcome_at("http://10.0.0.5/x", policy=on_8080) is Code.PORT_NOT_ALLOWED


@pytest.mark.parametrize("url", ["http://receiver.lan/x", "http://10.0.0.5/x"])
def test_this_machine_is_refused_in_an_opened_network(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "is_this_machine", lambda address: str(address) == "10.0.0.5")
    assert outcome_at(url, "10.0.0.5") is Code.TARGET_NOT_ALLOWED


def test_a_name_that_leaves_the_opened_network_after_it_was_saved_is_refused() -> None:
    check_url("http://receiver.lan/x", OPENED)
    assert outcome_at("http://receiver.lan/x", "10.0.0.5") is None
    assert outcome_at("http://receiver.lan/x", "192.168.4.1") is Code.TARGET_NOT_ALLOWED
    assert outcome_at("http://receiver.lan/x", "169.254.169.254") is Code.TARGET_NOT_ALLOWED


def test_a_network_that_is_closed_again_refuses_what_was_saved() -> None:
    assert outcome_at("http://receiver.lan/x", "10.0.0.5", policy=STRICT) is Code.TARGET_NOT_ALLOWED
    assert outcome_at("http://10.0.0.5/x", policy=STRICT) is Code.TARGET_NOT_ALLOWED


def test_a_refusal_does_not_say_which_addresses_a_name_has() -> None:
    with pytest.raises(DeliveryFailed) as caught:
        find_addresses(read_url("http://receiver.lan/x"), OPENED, lambda host: ["192.168.4.1"], 1, ExchangeRecorder())
    assert caught.value.message == "Alertcheck is not allowed to send messages to receiver.lan."
