"""How long a row of the list is: a page has a hundred of them, and is not compressed."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from statistics import mean

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace, seconds
from webapp.auth.access import Visit
from webapp.channels import CHANNELS
from webapp.dashboard.list_rows import draw_rows
from webapp.dashboard.list_version import SETTLING_TIME
from webapp.dashboard.overview import PAGE_SIZE
from webapp.dashboard.recent_results import RECENT_COUNT
from webapp.dashboard.summaries import list_summaries
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import (
    TEST_EVENT,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DrillNumber,
    Receipt,
    ReceiptSource,
    Role,
)

pytestmark = pytest.mark.usefixtures("context")

# Bytes of a row with a button, at most: with 20 results, a reference and the name of who tested.
USUAL = 870

# Bytes of a row on average, at most, in a list of a hundred as `benchmarks.dataset` makes it: one in seven has advice.
MIXED = 1024

# A row that says more may be longer by what it says.
RECEIPT, TAGS, REASON, QUESTION, ADVICE, COUNTDOWN = 140, 125, 115, 240, 265, 175


def _draw(app: Flask, seeded: SeededIds, role: Role = Role.ADMIN, age: timedelta = timedelta(hours=3)) -> str:
    db.session.expire_all()
    visit, now = Visit(get_account(seeded), get_workspace(seeded), role), NOW + age
    summaries = list_summaries([seeded.harbor], now, now - SETTLING_TIME)
    with app.test_request_context():
        (row,) = draw_rows(visit, [seeded.destination], summaries, now).rows
    return row


def _add(seeded: SeededIds, status: DeliveryStatus = DeliveryStatus.SENT, **facts: object) -> AlertDelivery:
    """Add a test of the admin, after enough others to fill a sparkline."""
    destination, admin = get_destination(seeded), get_account(seeded)
    for second in range(1, RECENT_COUNT):
        add_delivery(destination, status=DeliveryStatus.SENT, sent_at=NOW, created_at=NOW - seconds(100 + second))
    known = {"payload": {"reference": "K7QM4T"}, "requested_by_id": admin.id, "sent_at": NOW, "answer_status": 200}
    return add_delivery(destination, status=status, **(known | facts))


def _add_failed(seeded: SeededIds, code: str = "not_found") -> None:
    message = "127.0.0.1 answered 404."
    _add(seeded, DeliveryStatus.FAILED, last_error_code=code, last_error_message=message, sent_at=None)


def _add_tagged(seeded: SeededIds) -> None:
    _add(seeded)
    get_destination(seeded).tags = "customers,night"
    db.session.commit()


def _add_seen(seeded: SeededIds) -> None:
    _add(seeded, receipt=Receipt.SEEN, receipt_source=ReceiptSource.MEMBER, receipt_at=NOW)


def _add_paging(seeded: SeededIds) -> None:
    _add(seeded)
    get_destination(seeded).type = "pagerduty"
    db.session.commit()


def _disable(seeded: SeededIds) -> None:
    _add(seeded)
    set_enabled(get_destination(seeded), get_account(seeded), False, NOW)


KINDS = {
    "never": (lambda seeded: None, USUAL),
    "sent": (_add, USUAL),
    "drill": (lambda seeded: _add(seeded, drill=DrillNumber.FIRST, requested_by_id=None), USUAL),
    "seen": (_add_seen, USUAL + RECEIPT),
    "tagged": (_add_tagged, USUAL + TAGS),
    "disabled": (_disable, USUAL + REASON),
    "pages people": (_add_paging, USUAL + QUESTION),
    "pending without a worker": (lambda seeded: _add(seeded, DeliveryStatus.QUEUED, sent_at=None), USUAL + ADVICE),
    "failed": (_add_failed, USUAL + ADVICE),
}


@pytest.mark.parametrize(("add", "longest"), KINDS.values(), ids=KINDS)
def test_a_row_is_short(app: Flask, seeded: SeededIds, add: Callable[[SeededIds], object], longest: int) -> None:
    add(seeded)

    assert len(_draw(app, seeded).encode()) <= longest


def test_a_row_whose_button_counts_down_is_longer_by_a_second_address_and_the_end(
    app: Flask, seeded: SeededIds
) -> None:
    _add(seeded)

    assert len(_draw(app, seeded, age=seconds(30)).encode()) <= USUAL + COUNTDOWN


def test_a_viewers_row_is_shorter_by_the_button(app: Flask, seeded: SeededIds) -> None:
    _add(seeded)

    assert len(_draw(app, seeded, Role.VIEWER).encode()) <= USUAL - 190


def _add_mixed(seeded: SeededIds) -> list[int]:
    """Add a hundred destinations. The last test of 15 of them did not succeed, nor did 3 of every 20 before."""
    channels, facts = (
        list(CHANNELS),
        {"workspace_id": seeded.harbor, "config": "", "created_at": NOW, "updated_at": NOW},
    )
    places = [
        AlertDestination(name=f"Place {n:04}", type=channels[n % len(channels)], **facts) for n in range(PAGE_SIZE)
    ]
    db.session.add_all(places)
    db.session.flush()
    for n, place in enumerate(places):
        for age in range(RECENT_COUNT):
            db.session.add(_make_result((n + 7 * age) % 20, place.id, seeded, NOW - timedelta(days=6 * age)))
    db.session.commit()
    return [place.id for place in places]


def _make_result(outcome: int, place_id: int, seeded: SeededIds, at: datetime) -> AlertDelivery:
    status = (DeliveryStatus.FAILED, DeliveryStatus.FAILED, DeliveryStatus.CANCELED)[outcome] if outcome < 3 else None
    return AlertDelivery(
        workspace_id=seeded.harbor,
        alert_destination_id=place_id,
        event_type=TEST_EVENT,
        status=status or DeliveryStatus.SENT,
        sent_at=None if status else at,
        last_error_code={0: "auth_failed", 1: "connect_timeout"}.get(outcome),
        last_error_message="It was refused: the address is no longer valid." if outcome < 2 else None,
        attempt_count=1,
        requested_by_id=seeded.admin,
        settings_version=1,
        payload={"reference": "K7QM4T"},
        created_at=at,
        updated_at=at,
    )


def test_a_hundred_mixed_rows_are_short_on_average(app: Flask, seeded: SeededIds) -> None:
    ids, now = _add_mixed(seeded), NOW + timedelta(days=3)
    visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
    summaries = list_summaries([seeded.harbor], now, now - SETTLING_TIME)
    with app.test_request_context():
        rows = draw_rows(visit, ids, summaries, now).rows

    badges = [badge for row in rows for badge in re.findall(r'data-last-test="(\w+)"', row)]
    assert (badges.count("sent"), badges.count("failed")) == (85, 15)
    assert mean(len(row.encode()) for row in rows) <= MIXED
