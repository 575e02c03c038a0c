"""When a destination last accepted a message, as read from the database."""

from datetime import datetime
from typing import Any

import pytest

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    on_both_databases,
    seconds,
)
from webapp.app_state import current_settings
from webapp.dashboard.status_fragment import load_status
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.last_acceptance import Acceptance, find_proof
from webapp.destinations.editing import change_destination
from webapp.extensions import db
from webapp.models import DeliveryStatus, DrillNumber

GONE = {"status": DeliveryStatus.FAILED, "last_error_code": "gone"}
SETTINGS = {"address": "https://hooks.example.com/canary", "signing_secret": ""}


def _sent(at: datetime) -> dict[str, Any]:
    return {"status": DeliveryStatus.SENT, "created_at": at, "sent_at": at + seconds(2)}


def _load(seeded: SeededIds) -> Acceptance | None:
    """Return the acceptance that the list loads, which is also that of the destination's own page."""
    db.session.expire_all()
    (summary,) = list_summaries([seeded.harbor], NOW)
    _, shared = load_status(get_destination(seeded), NOW)
    assert shared.proof == {seeded.destination: summary.proof}
    return summary.proof.acceptance


def _move(seeded: SeededIds, at: datetime) -> None:
    change_destination(get_destination(seeded), get_account(seeded), None, SETTINGS, current_settings().cipher, at)


def test_without_an_accepted_message_or_with_one_of_earlier_settings_there_is_no_proof() -> None:
    outdated = Acceptance(1, NOW, is_outdated=True)

    assert [find_proof(acceptance) for acceptance in (None, outdated)] == [None, None]


@on_both_databases
def test_the_newest_accepted_message_counts_whatever_came_after_it(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **_sent(NOW - seconds(120)))
    newest = add_delivery(destination, **_sent(NOW - seconds(60)))
    add_delivery(destination, **GONE)

    assert _load(seeded) == Acceptance(newest.id, NOW - seconds(58), is_outdated=False)


@on_both_databases
@pytest.mark.parametrize("is_real", [True, False])
def test_a_real_alert_and_a_drill_count_too(context: None, seeded: SeededIds, is_real: bool) -> None:
    destination, facts = get_destination(seeded), _sent(NOW)
    add_delivery(destination, **_sent(NOW - seconds(60)))
    newest = (
        add_real_alert(destination, settings_version=None, **facts)
        if is_real
        else add_delivery(destination, drill=DrillNumber.FIRST, **facts)
    )

    assert _load(seeded) == Acceptance(newest.id, NOW + seconds(2), is_outdated=False, is_real_alert=is_real)


@on_both_databases
def test_nothing_was_accepted_by_a_destination_of_which_all_failed(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), **GONE)

    assert _load(seeded) is None


@on_both_databases
def test_a_test_of_earlier_settings_is_outdated(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), **_sent(NOW - seconds(60)))
    _move(seeded, NOW)

    acceptance = _load(seeded)
    assert acceptance is not None
    assert acceptance.is_outdated is True


@on_both_databases
@pytest.mark.parametrize(("age", "expected"), [(1, True), (0, False)])
def test_a_real_alert_before_a_change_of_the_settings_is_outdated(
    context: None, seeded: SeededIds, age: float, expected: bool
) -> None:
    add_real_alert(get_destination(seeded), settings_version=None, **_sent(NOW - seconds(age)))
    _move(seeded, NOW)

    acceptance = _load(seeded)
    assert acceptance is not None
    assert acceptance.is_outdated is expected


@on_both_databases
def test_a_real_alert_before_a_new_name_counts_if_the_settings_were_never_changed(
    context: None, seeded: SeededIds
) -> None:
    add_real_alert(get_destination(seeded), settings_version=None, **_sent(NOW - seconds(60)))
    change_destination(get_destination(seeded), get_account(seeded), "Renamed", {}, current_settings().cipher, NOW)

    acceptance = _load(seeded)
    assert acceptance is not None
    assert acceptance.is_outdated is False
