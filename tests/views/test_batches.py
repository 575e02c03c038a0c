"""Test all: it tests every permitted destination once, and the page shows the progress."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace, seconds
from tests.visitor import Visitor
from webapp import queue
from webapp.application import create_app
from webapp.deliveries.badge import Badge
from webapp.deliveries.transitions import ACCEPT, CLAIM, apply_transition
from webapp.destinations.editing import add_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, Batch, DeliveryStatus
from webapp.presses.batch_progress import measure_progress
from webapp.settings import AppSettings, read_settings

Visit = Callable[[int], Visitor]

ALL = "/w/harbor/test-all"
WITHOUT_WORKER = "No worker has reported for a while."


@pytest.fixture
def more_destinations(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> None:
    """Three more destinations beside the seeded one: enabled, disabled, and tested a moment ago."""
    with app.app_context():
        harbor, admin, now = get_workspace(seeded), get_account(seeded), datetime.now(UTC)
        names = ("Another", "Disabled", "Just tested")
        _, disabled, tested = [
            add_destination(harbor, admin, "webhook", name, {}, app_settings.cipher, NOW) for name in names
        ]
        set_enabled(disabled, admin, False, NOW)
        add_delivery(tested, status=DeliveryStatus.SENT, sent_at=now, created_at=now - seconds(5))
        db.session.commit()


def _accept_all(app: Flask) -> None:
    with app.app_context():
        for delivery_id in db.session.scalars(select(AlertDelivery.id).where(AlertDelivery.batch.is_not(None))).all():
            now = datetime.now(UTC)
            apply_transition(CLAIM, delivery_id, now, attempt_count=1)
            apply_transition(ACCEPT, delivery_id, now, sent_at=now)
        db.session.commit()


def _requested(app: Flask) -> list[tuple[str, str | None]]:
    with app.app_context():
        rows = db.session.scalars(select(AlertDelivery).where(AlertDelivery.batch.is_not(None)))
        return sorted((row.destination.name, row.batch) for row in rows)


@pytest.mark.usefixtures("more_destinations")
def test_one_press_tests_every_enabled_destination_outside_its_cooldown(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    response = visit(seeded.support).post(ALL)

    requested = _requested(app)
    assert [name for name, _ in requested] == ["Another", "Ticket system"]
    assert len({batch for _, batch in requested}) == 1
    assert (response.status_code, response.headers["HX-Trigger"]) == (200, "tested-all")
    assert "0 of 2 tests are complete" in response.text
    assert 'hx-trigger="every 1s"' in response.text


@pytest.mark.usefixtures("more_destinations")
def test_a_second_press_within_the_minute_sends_nothing_and_shows_it(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    visitor = visit(seeded.support)
    visitor.post(ALL)

    response = visitor.post(ALL)

    assert len(_requested(app)) == 2
    assert "No test was sent." in response.text
    words = "4 destinations were left out: 3 because they were tested less than a minute ago, 1 because it is disabled."
    assert words in response.text
    assert re.search(r'data-until="[-0-9T:.]+\+00:00"', response.text)
    assert re.search(r'<span class="countdown">(59|60) s</span>', response.text)
    assert "hx-get" not in response.text


@pytest.mark.usefixtures("more_destinations")
def test_what_was_left_out_is_shown_by_the_press_the_poll_and_the_page(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    visitor = visit(seeded.support)
    pressed = visitor.post(ALL)
    batch = re.findall(r"/batches/(\w+)", pressed.text)[0]
    _accept_all(app)

    polled, page = visitor.get(f"/w/harbor/batches/{batch}"), visitor.get(f"/w/harbor/destinations?batch={batch}")

    words = "2 destinations were left out: 1 because it was tested less than a minute ago, 1 because it is disabled."
    assert [words in response.text for response in (pressed, polled, page)] == [True] * 3
    assert [re.search(r'<span class="countdown">5\d s<', text) is not None for text in (polled.text, page.text)] == [
        True
    ] * 2
    assert "The 2 requested tests are complete: 2 accepted, 0 failed." in " ".join(polled.text.split())
    assert "All" not in polled.text
    assert "hx-get" not in polled.text


def test_what_was_left_out_can_be_tested_once_its_wait_is_over(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        parts = [{"reason": "target limit", "count": 50, "seconds": 60}]
        pressed_at = datetime.now(UTC) - seconds(61)
        db.session.add(Batch(id="0f", workspace_id=seeded.harbor, left_out=parts, created_at=pressed_at))
        db.session.commit()

    support, viewer = (visit(person).get("/w/harbor/batches/0f").text for person in (seeded.support, seeded.viewer))

    assert ("Press Test all again to test more of them." in support, "data-until" in support) == (True, False)
    assert ("50 destinations were left out" in viewer, "Press Test all" in viewer) == (True, False)


def test_of_a_press_that_is_no_longer_known_nothing_is_claimed(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), batch="0f")
    _accept_all(app)

    text = " ".join(visit(seeded.viewer).get("/w/harbor/batches/0f").text.split())

    assert "The requested test is complete: 1 accepted, 0 failed." in text
    assert "Whether other destinations were left out is no longer known." in text


@pytest.mark.parametrize("batch", ["%00", "0f%00", "0F", "%F0%9F%92%A9", "g", "0f" * 17, "..%2f"])
def test_an_address_that_is_no_batch_is_not_found(seeded: SeededIds, visit: Visit, batch: str) -> None:
    assert visit(seeded.viewer).get(f"/w/harbor/batches/{batch}").status_code == 404


@pytest.mark.parametrize("batch", ["%00", "0F", "x", "0f" * 17])
def test_the_list_ignores_a_batch_that_is_none(seeded: SeededIds, visit: Visit, batch: str) -> None:
    response = visit(seeded.viewer).get(f"/w/harbor/destinations?batch={batch}")

    assert response.status_code == 200
    assert 'id="batch"><div role="status"></div></div>' in response.text


def test_progress_ends_with_the_results(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)
    batch = re.search(r"/batches/(\w+)", visitor.post(ALL).text)
    assert batch is not None
    _accept_all(app)

    response = visitor.get(f"/w/harbor/batches/{batch[1]}")

    assert "The test is complete: 1 accepted, 0 failed." in " ".join(response.text.split())
    assert ("hx-get" in response.text, response.headers["HX-Trigger"]) == (False, "tested-all")


@pytest.mark.parametrize(
    ("status", "late", "is_said"),
    [
        (DeliveryStatus.QUEUED, 2, False),
        (DeliveryStatus.QUEUED, 5, True),
        (DeliveryStatus.DEFERRED, 2, False),
        (DeliveryStatus.DEFERRED, 5, True),
    ],
)
def test_a_progress_that_stands_still_without_a_worker_says_so(
    app: Flask, seeded: SeededIds, visit: Visit, status: DeliveryStatus, late: float, is_said: bool
) -> None:
    with app.app_context():
        due = datetime.now(UTC) - seconds(late)
        add_delivery(
            get_destination(seeded),
            status=status,
            created_at=due - seconds(5),
            updated_at=due if status is DeliveryStatus.QUEUED else due - seconds(4),
            send_after=due if status is DeliveryStatus.DEFERRED else None,
            batch="0123456789abcdef",
        )
    visitor = visit(seeded.viewer)

    progress = visitor.get("/w/harbor/batches/0123456789abcdef").text
    with app.app_context():
        queue.record_heartbeat("host:1")
    with_worker = visitor.get("/w/harbor/batches/0123456789abcdef").text

    said = [WITHOUT_WORKER in text for text in (progress, with_worker)]
    assert said == [is_said, False]


def test_a_batch_counts_against_the_workspace_and_not_against_the_member(
    environment: dict[str, str], app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    with app.app_context():
        for number in range(4):
            add_destination(
                get_workspace(seeded), get_account(seeded), "webhook", f"Number {number}", {}, app_settings.cipher, NOW
            )
    limits = {"ALERTCHECK_PRESSES_PER_MEMBER": "0", "ALERTCHECK_PRESSES_PER_WORKSPACE": "3"}
    strict = create_app(read_settings(environment | limits))

    Visitor.signed_in(strict, seeded.admin).post(ALL)

    assert len(_requested(app)) == 3


def test_a_batch_of_another_workspace_is_not_shown(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), batch="0f")

        assert measure_progress(seeded.clinic, "0f").total == 0
        assert measure_progress(seeded.harbor, "0f").counts[Badge.PENDING] == 1


def test_without_javascript_the_press_leads_back_to_the_list(seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.admin).post(ALL, headers={"Sec-Fetch-Mode": "navigate"})

    assert response.status_code == 303
    assert response.location.startswith("/w/harbor/destinations?batch=")
