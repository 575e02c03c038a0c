"""What the pages say about the arrival of a message, and who said so."""

from typing import Any

import pytest

from webapp.deliveries.arrival import describe_arrival, describe_receipt
from webapp.models import AlertDelivery, DeliveryStatus, Receipt, ReceiptSource

LOST = {"status": DeliveryStatus.FAILED, "last_error_code": "worker_lost"}
SEEN, MISSING = {"receipt": Receipt.SEEN}, {"receipt": Receipt.MISSING}


def _test_send(**facts: Any) -> AlertDelivery:
    return AlertDelivery(**({"status": DeliveryStatus.SENT, "last_error_code": None} | facts))


@pytest.mark.parametrize(
    ("facts", "receipt", "arrival"),
    [
        (
            SEEN | {"receipt_source": ReceiptSource.LINK},
            "Seen by someone with the link in the message.",
            "Yes: someone with the link in the message has seen it.",
        ),
        (SEEN | {"receipt_source": ReceiptSource.MEMBER, "receipt_by": "Ann"}, "Seen by Ann.", "Yes: Ann has seen it."),
        (
            SEEN | {"receipt_source": ReceiptSource.CUSTOMER, "receipt_by": "Bob", "receipt_recorded_by": "Ann"},
            "Confirmed by the customer Bob, recorded by Ann.",
            "Yes: the customer Bob has seen it.",
        ),
        (
            SEEN | {"receipt_source": ReceiptSource.CUSTOMER_LINK},
            "Confirmed by the customer.",
            "Yes: the customer has seen it.",
        ),
        (
            MISSING | {"receipt_source": ReceiptSource.MEMBER, "receipt_by": "Ann"},
            "Sent, but reported missing by Ann.",
            "No: Ann reported that it did not arrive.",
        ),
        (
            LOST | MISSING | {"receipt_source": ReceiptSource.MEMBER, "receipt_by": "Ann"},
            "Reported missing by Ann.",
            "No: Ann reported that it did not arrive.",
        ),
        ({}, None, "The receiver accepted it. Check at the destination whether it is shown."),
    ],
)
def test_a_receipt_is_described_with_who_gave_it(facts: dict[str, Any], receipt: str | None, arrival: str) -> None:
    delivery = _test_send(**facts)

    assert (describe_receipt(delivery), describe_arrival(delivery)) == (receipt, arrival)


@pytest.mark.parametrize(("facts", "arrival"), [({}, "The receiver accepted it."), (LOST, "Unknown.")])
def test_nothing_is_to_be_checked_at_earlier_settings(facts: dict[str, Any], arrival: str) -> None:
    assert describe_arrival(_test_send(**facts), is_outdated=True) == arrival


def test_a_name_in_a_sentence_can_be_marked() -> None:
    customer = SEEN | {"receipt_source": ReceiptSource.CUSTOMER, "receipt_by": "Bob", "receipt_recorded_by": "Ann"}

    assert describe_receipt(_test_send(**customer), lambda name: f"<{name}>") == (
        "Confirmed by the customer <Bob>, recorded by <Ann>."
    )
