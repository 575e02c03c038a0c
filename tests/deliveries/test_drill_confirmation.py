"""What a page says about the newest drill of a destination that needs confirmation."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from webapp.dashboard.drill_confirmation_status import NO_DRILL, describe_confirmation
from webapp.dashboard.summaries import list_summaries
from webapp.deliveries.drill_confirmation import CONFIRM_WITHIN, Confirmation
from webapp.extensions import db
from webapp.models import DeliveryStatus, DrillNumber, Receipt, ReceiptSource

SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW}
SEEN: dict[str, Any] = {"receipt": Receipt.SEEN, "receipt_at": NOW + seconds(90_000)}
FIRST: dict[str, Any] = {"drill": DrillNumber.FIRST}


def _drill(status: DeliveryStatus = DeliveryStatus.SENT, code: str | None = None, **facts: Any) -> Confirmation:
    receipt = {"receipt": None, "receipt_at": None, "source": None, "by": None, "unconfirmed_at": None}
    return Confirmation(1, NOW, status, code, **receipt | facts)


def _load(seeded: SeededIds) -> Confirmation | None:
    db.session.expire_all()
    (summary,) = list_summaries([seeded.harbor], NOW)
    return summary.proof.confirmation


def _need(seeded: SeededIds, needs_confirmation: bool = True) -> None:
    get_destination(seeded).needs_confirmation = needs_confirmation
    db.session.commit()


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


@dataclass(frozen=True)
class Case:
    confirmation: Confirmation | None
    words: str


CASES = [
    Case(None, NO_DRILL),
    Case(_drill(), "Needs confirmation: nobody has confirmed the drill of 4 May 2026 yet."),
    Case(
        _drill(unconfirmed_at=NOW - CONFIRM_WITHIN),
        "Needs confirmation: nobody confirmed the drill of 27 April 2026 within 7 days. Ask whether its message "
        "arrived.",
    ),
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
    assert describe_confirmation(case.confirmation) == case.words
