"""Which deliveries wait for a worker, and since when."""

import pytest

from tests.factories import NOW, seconds
from webapp.deliveries.worker_wait import waits_since
from webapp.models import DeliveryStatus


def test_a_queued_delivery_waits_since_it_was_queued() -> None:
    assert waits_since(DeliveryStatus.QUEUED, None, NOW, None) == NOW


def test_a_deferred_delivery_waits_from_its_next_attempt_on() -> None:
    assert waits_since(DeliveryStatus.DEFERRED, None, NOW, NOW + seconds(8)) == NOW + seconds(8)


@pytest.mark.parametrize("status", [DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.CANCELED])
def test_a_delivery_that_has_ended_waits_for_no_worker(status: DeliveryStatus) -> None:
    assert waits_since(status, None, NOW, NOW) is None


def test_a_delivery_that_is_being_sent_waits_for_no_worker() -> None:
    assert waits_since(DeliveryStatus.QUEUED, NOW, NOW, None) is None
