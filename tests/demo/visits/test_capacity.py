"""The places of a public demo: in total, per network, and per larger network."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.demo.public_demo import DemoVisitor, make_public_demo
from tests.factories import on_both_databases
from webapp.demo.visits import visits
from webapp.demo.visits.capacity import TooManyVisitors, hash_networks
from webapp.extensions import db
from webapp.models import DemoVisit, database_clock
from webapp.settings import VISIT_TIME


@pytest.fixture
def app(environment: dict[str, str], tmp_path: Path) -> Flask:
    """A demo with five places, two of them for one network."""
    places = {"ALERTCHECK_DEMO_VISITORS": "5", "ALERTCHECK_DEMO_VISITORS_PER_NETWORK": "2"}
    return make_public_demo(environment, tmp_path, **places)


def _start_from(app: Flask, *addresses: str) -> list[int]:
    return [DemoVisitor.arriving(app, address).start().status_code for address in addresses]


def test_a_third_visitor_from_one_address_is_told_to_wait(app: Flask) -> None:
    assert _start_from(app, "203.0.113.7", "203.0.113.7") == [303, 303]
    response = DemoVisitor.arriving(app, "203.0.113.7").start()

    assert response.status_code == 429
    assert 7190 < int(response.headers["Retry-After"]) - 60 <= 7200
    assert "Come back in 121 minutes, or let one of them end their demo." in response.text


def test_all_addresses_of_one_ipv6_network_count_as_one(app: Flask) -> None:
    addresses = ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:1::3", "2001:db8:2:2::1")

    assert _start_from(app, *addresses) == [303, 303, 429, 303]


@pytest.mark.parametrize(
    "addresses",
    [
        ("203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "198.51.100.1"),
        (*(f"2001:db8:1:{number}::1" for number in range(5)), "2001:db8:2::1"),
    ],
)
def test_neighbors_get_twice_as_many_places(app: Flask, addresses: tuple[str, ...]) -> None:
    assert _start_from(app, *addresses) == [303, 303, 303, 303, 429, 303]


def test_visitors_without_a_readable_address_share_one_network(app: Flask) -> None:
    assert _start_from(app, "unix:", "?", "what", "203.0.113.7") == [303, 303, 429, 303]


@on_both_databases
def test_the_places_of_all_networks_end_with_503(app: Flask) -> None:
    addresses = [f"203.0.{number}.1" for number in range(6)]
    response = DemoVisitor.arriving(app, "203.0.9.1")

    assert _start_from(app, *addresses) == [303] * 5 + [503]
    full = response.start()
    assert (full.status_code, "The demo is full" in full.text) == (503, True)
    assert int(full.headers["Retry-After"]) > 7000


def test_the_wait_is_that_of_the_visit_which_ends_first(app: Flask) -> None:
    with app.app_context():
        now = database_clock.now()
        visits.start_visit("203.0.113.7", now - VISIT_TIME + timedelta(seconds=30))
        visits.start_visit("203.0.113.7", now)
        with pytest.raises(TooManyVisitors) as caught:
            visits.start_visit("203.0.113.7", now)

    assert (caught.value.is_network, caught.value.seconds) == (True, 90)


def test_a_made_up_header_changes_no_network(app: Flask) -> None:
    forged = [f"10.0.0.{number}, 203.0.113.7" for number in range(3)]

    assert _start_from(app, *forged) == [303, 303, 429]


@on_both_databases
def test_presses_at_the_same_instant_get_no_more_places(app: Flask) -> None:
    def start(number: int) -> bool:
        with app.app_context():
            try:
                visits.start_visit("203.0.113.7", now)
            except TooManyVisitors:
                return False
            return True

    with app.app_context():
        now: datetime = database_clock.now()
    with ThreadPoolExecutor(6) as threads:
        started = list(threads.map(start, range(6)))

    assert started.count(True) == 2
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(DemoVisit)) == 2


def test_a_visit_that_ended_keeps_its_place_until_it_is_deleted(app: Flask) -> None:
    _start_from(app, "203.0.113.7", "203.0.113.7")
    with app.app_context():
        db.session.execute(update(DemoVisit).values(ends_at=database_clock.now()))
        db.session.commit()

    response = DemoVisitor.arriving(app, "203.0.113.7").start()
    assert (response.status_code, int(response.headers["Retry-After"]) <= 60) == (429, True)


def test_networks_are_stored_as_different_hashes(app: Flask) -> None:
    with app.app_context():
        hashes = {*hash_networks("203.0.113.7"), *hash_networks("203.0.113.8"), *hash_networks("unknown")}

    assert sorted(map(len, hashes)) == [64] * 5
