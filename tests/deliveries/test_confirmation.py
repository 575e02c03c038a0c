"""Which drill of a destination people have to confirm, and until when."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, on_both_databases, seconds
from webapp.dashboard.confirmation_status import NO_DRILL, describe_confirmation
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries import record_by_member
from webapp.deliveries.confirmation import CONFIRM_WITHIN, Confirmation, is_overdue
from webapp.extensions import db
from webapp.models import DeliveryStatus, DrillNumber, Receipt, ReceiptSource
from webapp.notices.unconfirmed import open_unconfirmed

SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW}
SEEN: dict[str, Any] = {"receipt": Receipt.SEEN, "receipt_at": NOW + seconds(90_000)}
FIRST: dict[str, Any] = {"drill": DrillNumber.FIRST}


def _drill(status: DeliveryStatus = DeliveryStatus.SENT, code: str | None = None, **facts: Any) -> Confirmation:
    receipt = {"receipt": None, "receipt_at": None, "source": None, "by": None}
    return Confirmation(1, NOW, status, code, **receipt | facts)


def _load(seeded: SeededIds) -> Confirmation | None:
    db.session.expire_all()
    (summary,) = list_summaries([seeded.harbor])
    return summary.evidence.confirmation


def _need(seeded: SeededIds, needs_confirmation: bool = True) -> None:
    get_destination(seeded).needs_confirmation = needs_confirmation
    db.session.commit()


@pytest.mark.parametrize(("age", "expected"), [(CONFIRM_WITHIN - seconds(1), False), (CONFIRM_WITHIN, True)])
def test_a_drill_should_be_confirmed_within_seven_days(age: timedelta, expected: bool) -> None:
    assert timedelta(days=7) == CONFIRM_WITHIN
    assert is_overdue(_drill(), NOW + age) is expected


@pytest.mark.parametrize(
    "confirmation",
    [
        None,
        _drill(receipt=Receipt.SEEN),
        _drill(receipt=Receipt.MISSING),
        _drill(DeliveryStatus.QUEUED),
        _drill(DeliveryStatus.FAILED, "gone"),
    ],
)
def test_nothing_is_overdue_if_somebody_answered_or_no_message_can_have_arrived(
    confirmation: Confirmation | None,
) -> None:
    assert is_overdue(confirmation, NOW + CONFIRM_WITHIN) is False


def test_a_drill_that_may_have_arrived_should_be_confirmed_too() -> None:
    assert is_overdue(_drill(DeliveryStatus.FAILED, "read_timeout"), NOW + CONFIRM_WITHIN) is True


@on_both_databases
def test_the_newest_drill_is_the_one_to_confirm_whatever_test_follows(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, **FIRST, created_at=NOW - seconds(60))
    newest = add_delivery(destination, **SENT, drill=DrillNumber.SECOND)
    add_delivery(destination, **SENT, created_at=NOW + seconds(60))
    _need(seeded)

    confirmation = _load(seeded)
    assert confirmation is not None
    assert (confirmation.drill_id, confirmation.is_awaited) == (newest.id, True)


@on_both_databases
def test_a_destination_that_needs_no_confirmation_has_no_drill_to_confirm(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded), **SENT, **FIRST)

    assert _load(seeded) is None


@on_both_databases
def test_a_member_confirms_a_drill_after_more_than_seven_days(context: None, seeded: SeededIds) -> None:
    drill = add_delivery(get_destination(seeded), **SENT, **FIRST)
    _need(seeded)
    late = NOW + CONFIRM_WITHIN + seconds(86_400)
    before = is_overdue(_load(seeded), late)

    record_by_member(drill, get_account(seeded), Receipt.SEEN, late)

    assert (before, is_overdue(_load(seeded), late)) == (True, False)


@on_both_databases
@pytest.mark.parametrize(("age", "version", "expected"), [(1, 1, False), (-1, 1, True), (1, 2, True)])
def test_a_test_that_somebody_saw_after_the_drill_confirms_too_if_it_had_the_present_settings(
    context: None, seeded: SeededIds, age: int, version: int, expected: bool
) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, **FIRST)
    later = add_delivery(destination, **SENT, created_at=NOW + seconds(age), settings_version=version)
    add_delivery(destination, **SENT, created_at=NOW + seconds(60))
    _need(seeded)
    record_by_member(later, get_account(seeded), Receipt.SEEN, NOW + seconds(61))

    assert is_overdue(_load(seeded), NOW + CONFIRM_WITHIN) is expected


@on_both_databases
def test_a_weekly_drill_does_not_hide_that_nobody_confirmed_the_one_before(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)
    add_delivery(destination, **SENT, **FIRST)
    newest = add_delivery(destination, **SENT, **FIRST, created_at=NOW + CONFIRM_WITHIN)
    _need(seeded)
    now = NOW + CONFIRM_WITHIN + seconds(60)
    before = is_overdue(_load(seeded), now)

    open_unconfirmed(now)
    db.session.commit()
    opened = is_overdue(_load(seeded), now)
    record_by_member(newest, get_account(seeded), Receipt.SEEN, now)

    assert (before, opened, is_overdue(_load(seeded), now)) == (False, True, False)


@dataclass(frozen=True)
class Case:
    confirmation: Confirmation | None
    words: str
    is_overdue: bool = False


CASES = [
    Case(None, NO_DRILL),
    Case(_drill(), "Needs confirmation: nobody has confirmed the drill of 4 May 2026 yet."),
    Case(
        _drill(),
        "Needs confirmation: nobody confirmed the drill of 4 May 2026 within 7 days. Ask whether its message arrived.",
        is_overdue=True,
    ),
    Case(
        _drill(unconfirmed_at=NOW - CONFIRM_WITHIN),
        "Needs confirmation: nobody confirmed the drill of 27 April 2026 within 7 days. Ask whether its message "
        "arrived.",
        is_overdue=True,
    ),
    Case(_drill(was_later_seen=True), "Needs confirmation: a message after the drill of 4 May 2026 was confirmed."),
    Case(
        _drill(by="Ada", source=ReceiptSource.MEMBER, **SEEN),
        "Needs confirmation: the drill of 4 May 2026 was confirmed by Ada on 5 May 2026.",
    ),
    Case(
        _drill(source=ReceiptSource.LINK, **SEEN),
        "Needs confirmation: the drill of 4 May 2026 was confirmed by someone with the link in the message on 5 May "
        "2026.",
    ),
    Case(
        _drill(source=ReceiptSource.MEMBER, by="Ada", **SEEN | {"receipt": Receipt.MISSING}),
        "Needs confirmation: the drill of 4 May 2026 was reported missing by Ada on 5 May 2026.",
    ),
    Case(_drill(DeliveryStatus.DEFERRED), "Needs confirmation: the drill of 4 May 2026 has not ended yet."),
    Case(
        _drill(DeliveryStatus.FAILED, "gone"),
        "Needs confirmation: the drill of 4 May 2026 failed, so there is nothing to confirm.",
    ),
]


@pytest.mark.parametrize("case", CASES)
def test_a_confirmation_is_described_in_a_sentence_or_two(case: Case) -> None:
    assert describe_confirmation(case.confirmation, case.is_overdue) == case.words
