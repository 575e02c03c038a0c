"""What is shown beside the badge of its age, and of a service that turns idle receivers off."""

from datetime import timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.channels import CHANNELS
from webapp.dashboard.badge_age import find_idle_warning, find_shown_acceptance
from webapp.deliveries.badge import Badge
from webapp.deliveries.last_acceptance import Acceptance

DAY = timedelta(days=1)
FRESH = Acceptance(7, NOW, is_outdated=False)
OUTDATED = Acceptance(7, NOW, is_outdated=True)
OTHER_TEST = 8


@pytest.mark.parametrize(
    ("acceptance", "newest_id", "badge", "is_stale", "is_shown"),
    [
        (None, None, Badge.NEVER, True, False),
        (FRESH, 7, Badge.SENT, False, False),  # the badge says the same
        (FRESH, 7, Badge.SENT, True, True),
        (OUTDATED, 7, Badge.SENT, True, False),  # the badge has a warning already
        (FRESH, OTHER_TEST, Badge.FAILED, False, True),
        (OUTDATED, OTHER_TEST, Badge.FAILED, True, True),
        (FRESH, OTHER_TEST, Badge.PENDING, False, False),  # a press moves nothing
        (FRESH, OTHER_TEST, Badge.PENDING, True, True),
        (FRESH, None, Badge.NEVER, False, True),  # a real alert
        (FRESH, OTHER_TEST, Badge.SENT, False, True),  # a real alert after the test
    ],
)
def test_the_last_acceptance_is_shown_unless_the_badge_says_the_same(
    acceptance: Acceptance | None, newest_id: int | None, badge: Badge, is_stale: bool, is_shown: bool
) -> None:
    assert find_shown_acceptance(acceptance, newest_id, badge, is_stale) == (acceptance if is_shown else None)


LAST = "The last message was accepted on 4 May 2026. Microsoft turns off a flow that has not run for 90 days."
SOON = (
    f"{LAST} Without another message, alerts fail from 2 August 2026 on. Send a test now. "
    "Drills send one in time by themselves."
)
OVER = f"{LAST} It may have been off since 2 August 2026. Send a test to find out."


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (60 * DAY - seconds(1), None),
        (60 * DAY, SOON),
        (90 * DAY - seconds(1), SOON),
        (90 * DAY, OVER),
    ],
)
def test_a_flow_of_teams_is_warned_of_after_60_days(age: timedelta, words: str | None) -> None:
    assert find_idle_warning(FRESH, "teams", Badge.SENT, NOW + age) == words


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "teams"] + ["unknown"])
def test_no_other_channel_is_warned_of(channel: str) -> None:
    assert find_idle_warning(FRESH, channel, Badge.SENT, NOW + 99 * DAY) is None


@pytest.mark.parametrize("badge", [Badge.FAILED, Badge.PENDING])
def test_a_test_that_failed_or_waits_needs_no_warning(badge: Badge) -> None:
    assert find_idle_warning(FRESH, "teams", badge, NOW + 70 * DAY) is None


@pytest.mark.parametrize("acceptance", [None, OUTDATED])
def test_nothing_is_known_of_a_flow_that_accepted_nothing(acceptance: Acceptance | None) -> None:
    assert find_idle_warning(acceptance, "teams", Badge.SENT, NOW + 70 * DAY) is None
