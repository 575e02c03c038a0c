"""The rows of the history: drawn once, and anew whenever they would show something else."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from markupsafe import Markup

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard.history_rows import draw_history_rows
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.extensions import db
from webapp.history import DeliveryFilter, list_page
from webapp.models import AlertDelivery, DeliveryStatus, DrillNumber, Receipt, Role

pytestmark = pytest.mark.usefixtures("context")

LATER = NOW + timedelta(hours=3)


def _draw(app: Flask, seeded: SeededIds, now: datetime = LATER, zone: tzinfo | None = None) -> Sequence[Markup]:
    db.session.expire_all()
    visit = Visit(get_account(seeded), get_workspace(seeded), Role.ADMIN)
    with app.test_request_context():
        return draw_history_rows(visit, list_page(seeded.harbor, DeliveryFilter()).entries, zone, now)


def _draw_anew(app: Flask, seeded: SeededIds, now: datetime = LATER, zone: tzinfo | None = None) -> Sequence[Markup]:
    app_state(app).drawn_history.clear()
    return _draw(app, seeded, now, zone)


def _newest(seeded: SeededIds) -> AlertDelivery:
    delivery = find_newest_test(get_destination(seeded))
    assert delivery
    return delivery


def _see(seeded: SeededIds) -> None:
    newest = _newest(seeded)
    newest.receipt, newest.receipt_at, newest.receipt_by = Receipt.SEEN, NOW + seconds(5), "Ann"


def _answer_late(seeded: SeededIds) -> None:
    _newest(seeded).answer_seconds = 7.5


def _make_drill(seeded: SeededIds) -> None:
    _newest(seeded).drill = DrillNumber.SECOND


def _rename_destination(seeded: SeededIds) -> None:
    get_destination(seeded).name = "Renamed"


def _delete_destination(seeded: SeededIds) -> None:
    get_destination(seeded).deleted_at = NOW


def _change_channel(seeded: SeededIds) -> None:
    get_destination(seeded).type = "teams"


def _rename_account(seeded: SeededIds) -> None:
    get_account(seeded).name = "Renamed"


CHANGES = [
    _see,
    _answer_late,
    _make_drill,
    _rename_destination,
    _delete_destination,
    _change_channel,
    _rename_account,
]


@on_both_databases
@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_a_row_is_the_one_that_is_drawn_anew(
    app: Flask, seeded: SeededIds, change: Callable[[SeededIds], None]
) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW, requested_by_id=seeded.admin)
    before = _draw(app, seeded)

    change(seeded)
    db.session.commit()

    assert before != _draw(app, seeded) == _draw_anew(app, seeded)


def test_a_row_that_shows_the_same_is_not_drawn_again(app: Flask, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)
    add_real_alert(get_destination(seeded))
    first = _draw(app, seeded)

    again = _draw(app, seeded)

    assert [one is other for one, other in zip(first, again, strict=True)] == [True, True]


@pytest.mark.parametrize("offset", [-0.6, -0.5, -0.4, 0, 3600])
def test_ages_stay_true(app: Flask, seeded: SeededIds, offset: float) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)
    _draw(app, seeded)

    now = LATER + timedelta(hours=1, seconds=offset)

    assert _draw(app, seeded, now) == _draw_anew(app, seeded, now)


def test_each_reader_has_the_times_of_their_own_zone(app: Flask, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), status=DeliveryStatus.SENT, sent_at=NOW)
    in_utc = _draw(app, seeded, zone=UTC)

    in_tokyo = _draw(app, seeded, zone=ZoneInfo("Asia/Tokyo"))

    assert in_utc != in_tokyo == _draw_anew(app, seeded, zone=ZoneInfo("Asia/Tokyo"))
