"""Which visitors the rate limits count as one client, and which requests are checked."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from benchmarks.installation.processes import wait_until
from tests.demo.public_demo import DemoVisitor, make_public_demo
from tests.factories import SeededIds
from webapp.extensions import get_client, identify_client, limiter


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:50123", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:0:0:0:1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, client: str) -> None:
    assert identify_client(address) == client


@pytest.mark.parametrize(
    "address", ["", "unknown", "_hidden", "192.0.2.1.5", "192.0.2.1:x", "[::1", "١.2.3.4", "a" * 999]
)
def test_everything_else_is_one_client(address: str) -> None:
    assert identify_client(address) == "unknown"


def test_a_request_without_an_address_is_one_of_them(app: Flask) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": ""}):
        assert get_client() == "unknown"


def test_an_ipv6_customer_cannot_change_the_address_to_get_more_requests(app: Flask, seeded: SeededIds) -> None:
    client = app.test_client()

    answers = [
        client.get("/seen/forged", environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"}).status_code
        for number in range(1, 32)
    ]

    assert (answers[:30], answers[30]) == ([404] * 30, 429)


def test_visitors_of_a_public_demo_cannot_send_requests_without_end(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.application_core.VISITORS_REQUESTS", "3 per day")
    # The limiter keeps that of the first application of a process, which another test may have made.
    monkeypatch.setattr(limiter.limit_manager, "_application_limits", [])
    app = make_public_demo(environment, tmp_path)

    answers = [DemoVisitor(app.test_client()).get("/").status_code for _ in range(4)]

    assert answers == [302, 302, 302, 429]


def test_elsewhere_only_a_view_with_a_limit_asks_for_its_limits(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    resolve = limiter.limit_manager.resolve_limits

    def note(app: Flask, endpoint: str, *arguments: Any) -> Any:
        asked.append(endpoint)
        return resolve(app, endpoint, *arguments)

    monkeypatch.setattr(limiter.limit_manager, "resolve_limits", note)
    client = app.test_client()

    statuses = [client.get(path).status_code for path in ("/", "/seen/forged")]

    assert statuses == [302, 404]
    assert asked == ["receipts.show"]


def test_the_limiter_finds_the_queue_server_again_in_a_request_without_a_limit(app: Flask) -> None:
    limiter._storage_dead = True
    client = app.test_client()

    wait_until(lambda: client.get("/").status_code == 302 and not limiter._storage_dead)
