"""How long a row of the list is: a page has a hundred of them, and is not compressed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace, seconds
from webapp.auth.access import Visit
from webapp.dashboard.list_rows import draw_rows
from webapp.dashboard.list_version import SETTLING_TIME
from webapp.dashboard.recent_results import RECENT_COUNT
from webapp.dashboard.summaries import list_summaries
from webapp.destinations.editing import set_enabled
from webapp.extensions import db
from webapp.models import AlertDelivery, DeliveryStatus, DrillNumber, Receipt, ReceiptSource, Role

pytestmark = pytest.mark.usefixtures("context")

# Bytes of a row with a button, at most: with 20 results, a reference and the name of who tested.
USUAL = 1000

# A row that says more may be longer by what it says.
RECEIPT, TAGS, REASON, QUESTION, ADVICE, COUNTDOWN = 140, 125, 115, 345, 420, 215


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

    assert len(_draw(app, seeded, Role.VIEWER).encode()) <= USUAL - 200
