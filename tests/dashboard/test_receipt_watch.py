"""How long the page of a destination asks for a receipt."""

import math
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.factories import NOW, seconds
from webapp.app_state import app_state
from webapp.dashboard.poll_interval import PollBudget
from webapp.dashboard.receipt_watch import INTERVAL, ReceiptWatch, is_awaited, watch_receipt
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus, Receipt

SENT: dict[str, Any] = {"status": DeliveryStatus.SENT, "sent_at": NOW}
LOST: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": "worker_lost"}
GONE: dict[str, Any] = {"status": DeliveryStatus.FAILED, "last_error_code": "gone"}


def _test_send(**facts: Any) -> AlertDelivery:
    values = {"event_type": TEST_EVENT, "sent_at": None, "last_error_code": None, "receipt_at": None}
    return AlertDelivery(**(values | {"created_at": NOW - seconds(90), "updated_at": NOW} | facts))


@pytest.mark.parametrize(
    ("facts", "is_expected"),
    [
        (SENT, True),
        (LOST, True),
        (SENT | {"receipt": Receipt.MISSING}, True),
        (SENT | {"receipt": Receipt.SEEN}, False),
        (LOST | {"receipt": Receipt.SEEN}, False),
        (GONE, False),
        ({"status": DeliveryStatus.QUEUED}, False),
        ({"status": DeliveryStatus.CANCELED}, False),
    ],
)
def test_a_receipt_is_awaited_while_somebody_may_confirm_the_message(facts: dict[str, Any], is_expected: bool) -> None:
    assert is_awaited(_test_send(**facts), NOW) == is_expected


@pytest.mark.parametrize("facts", [SENT, LOST, SENT | {"receipt": Receipt.MISSING}])
def test_a_page_asks_for_ten_minutes_after_the_send(facts: dict[str, Any]) -> None:
    delivery, end = _test_send(**facts), NOW + timedelta(minutes=10)

    assert (is_awaited(delivery, end - seconds(0.1)), is_awaited(delivery, end)) == (True, False)


def test_a_destination_without_tests_awaits_nothing() -> None:
    assert not is_awaited(None, NOW)


@pytest.mark.parametrize(
    ("shown", "now_shown", "is_news"),
    [("", "", False), ("a", "", False), ("", "a", True), ("a", "b", True), ("a", "a", False)],
)
def test_a_receipt_that_the_page_does_not_show_is_news(shown: str, now_shown: str, is_news: bool) -> None:
    assert ReceiptWatch(now_shown, None).is_news(shown) == is_news


def test_a_page_asks_once_a_second_and_more_slowly_as_more_pages_ask(app: Flask, context: None) -> None:
    app_state(app).poll_budget = PollBudget(budget=math.inf)
    alone = watch_receipt(_test_send(**SENT), NOW).poll_ms
    app_state(app).poll_budget = PollBudget(budget=1)
    together = [watch_receipt(_test_send(**SENT), NOW).poll_ms for _ in range(3)]

    assert (alone, together) == (1000 * INTERVAL, [1000, 2000, 3000])


def test_what_is_not_awaited_takes_nothing_of_the_budget(app: Flask, context: None) -> None:
    app_state(app).poll_budget = PollBudget(budget=1)
    for _ in range(10):
        assert watch_receipt(_test_send(**GONE), NOW).poll_ms is None

    assert app_state(app).poll_budget.next_interval(1) == 1
