"""Messages to private receivers, by the networks of the destination's workspace at the time of the send.

No test can listen in a private network: a connection to 10.0.0.5 is led to the receiver on the loopback after all
checks, so these tests show what is checked and which address is connected to, not that a network carries it.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.factories import SeededIds, get_account, on_both_databases
from webapp.deliveries import request_test, send
from webapp.deliveries.attempts.exchanges import read_exchange
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, Workspace
from webapp.settings import AppSettings, read_settings

pytestmark = pytest.mark.usefixtures("context")

Tries = list[tuple[str, int]]
Press = Callable[..., AlertDelivery]


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> Tries:
    """The addresses that were connected to. Each of them leads to the receiver."""
    tried: Tries = []
    create_connection = socket.create_connection

    def to_receiver(address: tuple[str, int], **options: Any) -> socket.socket:
        tried.append(address)
        return create_connection(("127.0.0.1", httpserver.port), **options)

    httpserver.expect_request("/hook").respond_with_data()
    monkeypatch.setattr(socket, "create_connection", to_receiver)
    return tried


@pytest.fixture
def press(environment: dict[str, str], seeded: SeededIds, tries: Tries) -> Press:
    """A function that adds a webhook to a workspace, requests a test and sends it with other settings."""

    def press(
        slug: str, url: str, answers: Sequence[str] = ("10.0.0.5",), allowed: str = "harbor=10.0.0.0/8", **more: str
    ) -> AlertDelivery:
        app_settings = _read(environment | {"ALERTCHECK_ALLOWED_NETWORKS": allowed, **more}, answers)
        workspace = db.session.query(Workspace).filter_by(slug=slug).one()
        account, now = get_account(seeded), datetime.now(UTC)
        webhook = add_destination(workspace, account, "webhook", url, {"address": url}, app_settings.cipher, now)
        delivery_id = request_test(webhook, account, now)
        send(delivery_id, app_settings)
        return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)

    return press


def _read(environment: dict[str, str], answers: Sequence[str]) -> AppSettings:
    app_settings = read_settings(environment)
    policy = replace(app_settings.outbound.policy, own_servers=("10.0.0.3",))
    return replace(
        app_settings, outbound=replace(app_settings.outbound, policy=policy, resolver=lambda host: list(answers))
    )


def _result(delivery: AlertDelivery) -> tuple[DeliveryStatus, str | None]:
    return delivery.status, delivery.last_error_code


@on_both_databases
@pytest.mark.parametrize("url", ["http://10.0.0.5/hook", "http://receiver.lan/hook", "http://receiver/hook"])
def test_a_workspace_with_the_network_reaches_its_receiver(press: Press, tries: Tries, url: str) -> None:
    assert _result(press("harbor", url)) == (DeliveryStatus.SENT, None)
    assert tries == [("10.0.0.5", 80)]


@pytest.mark.parametrize("url", ["http://10.0.0.5/hook", "http://receiver.lan/hook"])
@pytest.mark.parametrize("allowed", ["", "harbor=10.0.0.0/8", "clinic=192.168.4.0/24"])
def test_a_workspace_without_it_reaches_nothing(press: Press, tries: Tries, url: str, allowed: str) -> None:
    delivery = press("clinic", url, allowed=allowed)
    assert delivery.status is DeliveryStatus.FAILED
    assert delivery.last_error_code in ("scheme_not_allowed", "target_not_allowed")
    assert tries == []


def test_a_public_name_for_a_private_address_is_refused_without_the_network(press: Press, tries: Tries) -> None:
    delivery = press("clinic", "https://hooks.example.com/hook")
    assert _result(delivery) == (DeliveryStatus.FAILED, "target_not_allowed")
    assert "10.0.0.5" not in f"{delivery.last_error_message} {delivery.exchange}"
    assert tries == []


def test_a_network_that_was_taken_away_since_the_address_was_saved_is_refused(press: Press, tries: Tries) -> None:
    assert press("harbor", "http://10.0.0.5/hook").status is DeliveryStatus.SENT
    assert _result(press("harbor", "http://10.0.0.5/hook", allowed="")) == (DeliveryStatus.FAILED, "scheme_not_allowed")
    assert len(tries) == 1


@pytest.mark.parametrize(
    ("url", "answers", "code"),
    [
        ("http://receiver.lan/hook", ["10.0.0.5", "192.168.4.1"], "target_not_allowed"),
        ("http://receiver.lan/hook", ["10.0.0.5", "::1"], "target_not_allowed"),
        ("http://receiver.lan/hook", ["169.254.169.254"], "target_not_allowed"),
        ("http://receiver.lan/hook", ["10.0.0.3"], "target_not_allowed"),
        ("http://10.0.0.3:5432/hook", [], "target_not_allowed"),
        ("http://hooks.example.com/hook", ["93.184.216.34"], "scheme_not_allowed"),
        ("http://receiver.lan:22/hook", ["10.0.0.5"], "port_not_allowed"),
    ],
)
def test_a_workspace_with_the_network_reaches_nothing_else(
    press: Press, tries: Tries, url: str, answers: list[str], code: str
) -> None:
    delivery = press("harbor", url, answers, ALERTCHECK_ALLOWED_PORTS="80,443,5432")
    assert _result(delivery) == (DeliveryStatus.FAILED, code)
    assert tries == []


def test_a_redirect_inside_the_network_is_not_followed(press: Press, tries: Tries, httpserver: HTTPServer) -> None:
    moved = {"Location": "http://10.0.0.6/other"}
    httpserver.expect_request("/moved").respond_with_data(status=308, headers=moved)
    delivery = press("harbor", "http://receiver.lan/moved")
    assert _result(delivery) == (DeliveryStatus.FAILED, "redirect_refused")
    assert tries == [("10.0.0.5", 80)]
    assert "10.0.0.6" not in f"{delivery.last_error_message} {delivery.exchange}"


def test_a_private_receiver_is_never_reached_through_the_proxy(press: Press, tries: Tries) -> None:
    delivery = press("harbor", "http://receiver.lan/hook", ALERTCHECK_EGRESS_PROXY="http://proxy.lan:3128")
    assert _result(delivery) == (DeliveryStatus.SENT, None)
    assert tries == [("10.0.0.5", 80)]


def test_the_private_address_is_kept_for_the_admins_of_the_workspace(press: Press) -> None:
    facts = read_exchange(press("harbor", "http://receiver.lan/hook"))
    assert facts is not None
    assert (facts.address, facts.is_public) == ("10.0.0.5", False)
