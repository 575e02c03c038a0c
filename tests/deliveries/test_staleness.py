"""A destination is stale after 30 days without an accepted message, and without proof of its present settings."""

from datetime import timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.staleness import STALE_AFTER, is_stale


@pytest.mark.parametrize(("age", "expected"), [(STALE_AFTER - seconds(1), False), (STALE_AFTER, True)])
def test_proof_is_stale_after_30_days(age: timedelta, expected: bool) -> None:
    assert timedelta(days=30) == STALE_AFTER
    assert is_stale(Acceptance(1, NOW - age, is_outdated=False), NOW) is expected


@pytest.mark.parametrize("acceptance", [None, Acceptance(1, NOW, is_outdated=True)])
def test_a_destination_without_proof_is_stale(acceptance: Acceptance | None) -> None:
    assert is_stale(acceptance, NOW)
