"""The permanent link of a reference: one test send, without secrets, for members alone."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from tests.factories import (
    NOW,
    SECRET_PATH,
    SIGNING_SECRET,
    SeededIds,
    add_delivery,
    get_account,
    get_destination,
    seconds,
)
from tests.visitor import Visitor
from webapp.destinations.editing import delete_destination
from webapp.extensions import db
from webapp.models import AlertDestination, DeliveryStatus, Receipt, database_clock

Visit = Callable[[int], Visitor]

FAILED = {
    "status": DeliveryStatus.FAILED,
    "last_error_code": "not_found",
    "last_error_message": "It answered 404.",
    "payload": {"reference": "K7QM4T"},
}
SENT = {"status": DeliveryStatus.SENT, "sent_at": NOW, "payload": {"reference": "K7QM4T"}}


@pytest.fixture
def add(app: Flask, seeded: SeededIds) -> Callable[..., int]:
    """Add a test send of the harbor's destination, requested by the admin."""

    def add_one(**facts: object) -> int:
        with app.app_context():
            return add_delivery(get_destination(seeded), requested_by_id=seeded.admin, **facts).id

    return add_one


@pytest.mark.parametrize("reference", ["K7QM4T", "k7qm4t", "K7Q-M4T"])
def test_it_says_what_when_by_whom_and_what_to_do(
    add: Callable[..., int], seeded: SeededIds, visit: Visit, reference: str
) -> None:
    add(**FAILED)

    page = visit(seeded.viewer).get(f"/r/{reference}").text

    for part in (
        "K7QM4T",
        'data-last-test="failed"',
        "It answered 404.",
        "Next step",
        "2026-05-04 09:30:00 UTC",
        "Admin",
    ):
        assert part in page
    assert "by <bdi>Admin</bdi>" in page
    assert f'href="/w/harbor/destinations/{seeded.destination}"' in page


def test_it_says_that_a_customers_link_sent_it(add: Callable[..., int], seeded: SeededIds, visit: Visit) -> None:
    add(**SENT, by_customer_link=True)

    page = visit(seeded.support).get("/r/K7QM4T").text

    assert "by <bdi>Admin</bdi> <small>by the customer's link</small>" in page


def test_it_says_who_saw_the_message(add: Callable[..., int], seeded: SeededIds, visit: Visit) -> None:
    add(**SENT, receipt=Receipt.SEEN, receipt_at=NOW, receipt_by="Ann")

    assert "Yes: Ann has seen it." in visit(seeded.support).get("/r/K7QM4T").text


def test_it_shows_no_secret(add: Callable[..., int], seeded: SeededIds, visit: Visit) -> None:
    add(**FAILED)

    page = visit(seeded.admin).get("/r/K7QM4T").text

    assert SECRET_PATH not in page
    assert SIGNING_SECRET not in page


@pytest.mark.parametrize("path", ["/r/K7QM4T", "/r/K7QM4T/1"])
def test_a_stranger_gets_the_same_as_for_a_reference_that_does_not_exist(
    add: Callable[..., int], seeded: SeededIds, visit: Visit, path: str
) -> None:
    add(**FAILED)
    stranger = visit(seeded.stranger)

    foreign, missing = stranger.get(path), stranger.get(path.replace("K7QM4T", "ZZZZZZ"))

    assert foreign.status_code == missing.status_code == 404
    assert _main(foreign.text) == _main(missing.text)


@pytest.mark.parametrize("reference", ["x", "%00", "a%20b%00c", "%F0%9F%94%94", "K7QM4T%25", "9" * 500, "..;", "٣٣٣٣"])
def test_garbage_is_not_found(seeded: SeededIds, visit: Visit, reference: str) -> None:
    assert visit(seeded.admin).get(f"/r/{reference}").status_code == 404


def test_a_pending_test_polls_and_a_final_one_does_not(
    add: Callable[..., int], app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    add(payload={"reference": "PPPPPP"}, created_at=(now := _now(app)), updated_at=now)
    add(**FAILED, created_at=NOW - seconds(90))

    assert 'hx-trigger="every' in visit(seeded.viewer).get("/r/PPPPPP").text
    assert 'hx-trigger="every' not in visit(seeded.viewer).get("/r/K7QM4T").text


def _now(app: Flask) -> datetime:
    with app.app_context():
        return database_clock.now()


def test_an_earlier_test_names_the_newer_one(add: Callable[..., int], seeded: SeededIds, visit: Visit) -> None:
    add(**FAILED)
    add(payload={"reference": "NNNNNN"}, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW + seconds(90))

    assert 'href="/r/NNNNNN"' in visit(seeded.support).get("/r/K7QM4T").text
    assert "A newer test" not in visit(seeded.support).get("/r/NNNNNN").text


def test_two_tests_with_one_reference_are_listed_each_with_its_own_page(
    add: Callable[..., int], seeded: SeededIds, visit: Visit
) -> None:
    first, second = add(**FAILED), add(**SENT, created_at=NOW + seconds(90))
    support = visit(seeded.support)

    listed = support.get("/r/K7QM4T").text

    assert [f'href="/r/K7QM4T/{test}"' in listed for test in (first, second)] == [True, True]
    assert 'data-last-test="failed"' in support.get(f"/r/K7QM4T/{first}").text
    assert 'data-last-test="sent"' in support.get(f"/r/K7QM4T/{second}").text
    assert support.get(f"/r/K7QM4T/{second + 1}").status_code == 404


def test_a_test_of_a_deleted_destination_stays_readable(
    add: Callable[..., int], app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    add(**FAILED)
    with app.app_context():
        delete_destination(db.session.get_one(AlertDestination, seeded.destination), get_account(seeded), NOW)

    page = visit(seeded.support).get("/r/K7QM4T").text

    assert "This destination was deleted" in page
    assert f'href="/w/harbor/destinations/{seeded.destination}"' not in page


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/w/harbor/destinations/1", "/w/harbor/history", "/broken"])
def test_a_reference_is_linked_wherever_it_is_shown(
    add: Callable[..., int], seeded: SeededIds, visit: Visit, path: str
) -> None:
    add(**FAILED)

    assert 'href="/r/K7QM4T"' in visit(seeded.support).get(path).text


def _main(page: str) -> str:
    return page[page.index("<main") :]  # the CSRF tokens before it differ from second to second
