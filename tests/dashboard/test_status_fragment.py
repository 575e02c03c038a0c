"""The status fragment: its poll interval, and when and why the button is disabled."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.factories import NOW, seconds
from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard.poll_interval import PollBudget
from webapp.dashboard.status_fragment import SharedStatusData, Status, build_status, find_block_reason, render_status
from webapp.deliveries.outcome import Badge
from webapp.models import Account, AlertDelivery, AlertDestination, DeliveryStatus, Role, Workspace

pytestmark = pytest.mark.usefixtures("context")

DISABLED = "This destination is disabled. Enable it to send a test."
VIEWERS = "Viewers cannot send tests. Ask an admin or a support member of this workspace."


def _visit(role: Role = Role.ADMIN) -> Visit:
    return Visit(Account(id=1, name="Owner"), Workspace(id=1, slug="harbor", name="Harbor Logistics"), role)


def _destination(is_enabled: bool = True) -> AlertDestination:
    return AlertDestination(id=1, workspace_id=1, name="Ticket system", type="webhook", is_enabled=is_enabled)


def _test_send(status: DeliveryStatus, **facts: Any) -> AlertDelivery:
    values: dict[str, Any] = {"created_at": NOW, "updated_at": NOW, "sent_at": NOW, "send_after": None, "payload": {}}
    values |= {"last_error_code": None, "last_error_message": None, "attempt_started_at": None}
    return AlertDelivery(status=status, **(values | facts))


def _show(newest: AlertDelivery | None, age: float = 0, **arguments: Any) -> Status:
    return build_status(_visit(), _destination(), newest, NOW + seconds(age), **arguments)


@pytest.mark.parametrize("status", [DeliveryStatus.QUEUED, DeliveryStatus.DEFERRED])
def test_a_pending_fragment_polls_more_slowly_as_its_test_ages(status: DeliveryStatus) -> None:
    assert [_show(_test_send(status), age).poll_ms for age in (0, 1, 5, 30)] == [50, 250, 1000, 2000]


def test_a_test_that_was_just_retried_is_polled_like_a_new_one() -> None:
    retried = _test_send(DeliveryStatus.QUEUED, updated_at=NOW + seconds(50))

    assert _show(retried, age=50).poll_ms == 50
    assert _show(retried, age=52).poll_ms == 250


def test_a_pending_fragment_polls_more_slowly_as_more_tests_of_the_workspace_wait() -> None:
    waiting = _test_send(DeliveryStatus.QUEUED)

    assert [_show(waiting, shared=SharedStatusData({}, pending)).poll_ms for pending in (1, 5, 10)] == [50, 1000, 2000]


def test_a_pending_fragment_polls_more_slowly_as_more_pages_poll(app: Flask) -> None:
    app_state(app).poll_budget = PollBudget(budget=10)

    assert [_show(_test_send(DeliveryStatus.QUEUED)).poll_ms for _ in range(3)] == [100, 200, 300]


@pytest.mark.parametrize(
    "status", [DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.CANCELED, DeliveryStatus.SUPPRESSED]
)
def test_a_final_fragment_does_not_poll(status: DeliveryStatus) -> None:
    assert _show(_test_send(status)).poll_ms is None


def test_a_destination_without_tests_does_not_poll() -> None:
    never = _show(None)

    assert (never.last_test.badge, never.poll_ms, never.cooldown) == (Badge.NEVER, None, 0)


@pytest.mark.parametrize(("age", "left"), [(0, 60), (0.001, 60), (1, 59), (59.999, 1), (60, 0)])
def test_the_button_counts_down_from_the_moment_of_the_press(age: float, left: int) -> None:
    assert _show(_test_send(DeliveryStatus.SENT), age).cooldown == left


@pytest.mark.parametrize(
    ("role", "is_enabled", "block_reason"),
    [
        (Role.ADMIN, True, None),
        (Role.SUPPORT, True, None),
        (Role.VIEWER, True, VIEWERS),
        (Role.ADMIN, False, DISABLED),
        (Role.SUPPORT, False, DISABLED),
        (Role.VIEWER, False, VIEWERS),
    ],
)
def test_a_press_has_an_obstacle_for_viewers_and_disabled_destinations(
    role: Role, is_enabled: bool, block_reason: str | None
) -> None:
    assert find_block_reason(_visit(role), _destination(is_enabled), None, NOW) == block_reason


def test_a_refused_press_shows_the_reason_beside_the_badge(app: Flask) -> None:
    html = _render(app, _show(_test_send(DeliveryStatus.QUEUED), refusal="Not sent: <too soon>."))

    assert '<p class="refusal" role="alert">Not sent: &lt;too soon&gt;.</p>' in html


def _render(app: Flask, status: Status, role: Role = Role.ADMIN) -> str:
    with app.test_request_context():
        return render_status(_visit(role), status, NOW)


def test_the_fragments_root_is_named_after_the_destination_and_polls_its_own_url(app: Flask) -> None:
    html = " ".join(_render(app, _show(_test_send(DeliveryStatus.QUEUED))).split())

    assert html.startswith('<div class="status" id="destination-1-status" hx-get="/w/harbor/destinations/1/status"')
    assert 'hx-trigger="every 50ms"' in html
    assert 'data-last-test="pending"' in html


def test_a_final_fragment_carries_no_poll(app: Flask) -> None:
    html = _render(app, _show(_test_send(DeliveryStatus.SENT)))

    assert 'data-last-test="sent"' in html
    assert "hx-get" not in html
    assert "hx-trigger" not in html


def test_a_failure_is_shown_with_its_next_step_and_its_doubt(app: Flask) -> None:
    lost = _test_send(DeliveryStatus.FAILED, last_error_code="worker_lost", last_error_message="The worker stopped.")

    html = _render(app, _show(lost))

    assert "<p>The worker stopped.</p>" in html
    assert "<b>Next:</b> Check whether the message arrived before you send another test." in html
    assert "The message may or may not have arrived." in html


def test_a_time_is_shown_relative_and_exact(app: Flask) -> None:
    sent = _test_send(DeliveryStatus.SENT, sent_at=NOW - timedelta(hours=2))

    html = _render(app, _show(sent))

    assert "2 h ago" in html
    assert 'data-exact="2026-05-04 07:30:00 UTC"' in html


def test_a_viewers_fragment_has_no_button(app: Flask) -> None:
    assert "<button" not in _render(app, _show(None), Role.VIEWER)


def test_a_button_that_counts_down_keeps_the_focus(app: Flask) -> None:
    button = _render(app, _show(_test_send(DeliveryStatus.SENT))).partition("<button")[2].partition("</button>")[0]

    assert f'aria-disabled="true" data-until="{(NOW + seconds(60)).isoformat()}"' in button
    assert " disabled" not in button.replace("aria-disabled", "")
