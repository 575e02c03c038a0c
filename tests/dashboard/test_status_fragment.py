"""The status fragment: its poll interval, and when and why the button is disabled."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask, current_app

from tests.factories import NOW, seconds
from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard.poll_interval import PollBudget
from webapp.dashboard.status_fragment import SharedStatusData, Status, build_status, find_block_reason, render_status
from webapp.deliveries.badge import Badge
from webapp.deliveries.drill_confirmation import Confirmation
from webapp.deliveries.last_acceptance import Acceptance
from webapp.deliveries.proof import NO_PROOF, Proof
from webapp.deliveries.requesting.planned_test_transitions import PlanRow
from webapp.models import (
    Account,
    AlertDelivery,
    AlertDestination,
    DeliveryStatus,
    DrillNumber,
    PlanEnd,
    Role,
    Workspace,
)

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


NOTHING_SHARED = SharedStatusData({}, pending=0, plans={}, proof={})


def _show(
    newest: AlertDelivery | None,
    age: float = 0,
    shared: SharedStatusData = NOTHING_SHARED,
    refusal: str | None = None,
) -> Status:
    return build_status(_visit(), _destination(), newest, shared, NOW + seconds(age), refusal)


@pytest.mark.parametrize(
    ("status", "intervals"),
    [(DeliveryStatus.QUEUED, [10, 10, 1000, 2000]), (DeliveryStatus.DEFERRED, [50, 250, 1000, 2000])],
)
def test_a_pending_fragment_polls_more_slowly_as_its_test_ages(status: DeliveryStatus, intervals: list[int]) -> None:
    assert [_show(_test_send(status), age).poll_ms for age in (0, 1, 5, 30)] == intervals


def test_a_test_that_was_just_retried_is_polled_like_a_new_one() -> None:
    retried = _test_send(DeliveryStatus.QUEUED, updated_at=NOW + seconds(50))

    assert _show(retried, age=50).poll_ms == 10
    assert _show(retried, age=54).poll_ms == 1000


def test_a_pending_fragment_polls_more_slowly_as_more_tests_of_the_workspace_wait() -> None:
    waiting = _test_send(DeliveryStatus.QUEUED)

    polls = [_show(waiting, shared=SharedStatusData({}, pending, {}, {})).poll_ms for pending in (1, 2, 5, 10)]

    assert polls == [10, 50, 1000, 2000]


def test_a_pending_fragment_polls_more_slowly_as_more_pages_poll(app: Flask) -> None:
    app_state(app).poll_budget = PollBudget(budget=10)

    waiting, shared = _test_send(DeliveryStatus.QUEUED), SharedStatusData({}, 2, {}, {})

    assert [_show(waiting, shared=shared).poll_ms for _ in range(3)] == [100, 200, 300]


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

    assert '<div role="alert"><p class="refusal">Not sent: &lt;too soon&gt;.</p></div>' in html


def _render(app: Flask, status: Status, role: Role = Role.ADMIN) -> str:
    with app.test_request_context():
        return render_status(_visit(role), status, NOW)


def test_the_fragments_root_is_named_after_the_destination_and_polls_its_own_url(app: Flask) -> None:
    html = " ".join(_render(app, _show(_test_send(DeliveryStatus.QUEUED))).split())

    assert html.startswith('<div class="status" id="status-1" hx-get="/w/harbor/destinations/1/status"')
    assert 'hx-trigger="every 10ms" hx-sync="drop"' in html
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
    assert "2026-05-04 07:30:00 UTC" in html


def test_a_viewers_fragment_has_no_button(app: Flask) -> None:
    assert "<button" not in _render(app, _show(None), Role.VIEWER)


def _find_button(html: str) -> tuple[str, str]:
    """Return the address that the main button posts to, and its text as it is read aloud."""
    (button,) = re.findall(r'<button class="\w+ send".*?</button>', html, re.DOTALL)
    found = re.search(r'formaction="([^"]+)" hx-post\b', button)
    text = re.search(r'aria-label="([^"]+)"', button) or re.search(r"<button[^>]*>(.*)", button, re.DOTALL)
    assert found
    assert text
    return found[1], " ".join(re.sub("<[^>]+>", "", text[1]).split()).replace(" ,", ",")


def test_during_the_cooldown_the_button_says_when_it_tests_and_plans_a_test(app: Flask) -> None:
    html = _render(app, _show(_test_send(DeliveryStatus.SENT), age=19))

    assert _find_button(html) == ("/w/harbor/destinations/1/plan", "Test again in 41 s, Ticket system")
    assert f'data-until="{(NOW + seconds(60)).isoformat()}" data-when-over="Send test"' in html
    assert 'data-post-when-over="/w/harbor/destinations/1/test"' in html
    assert "disabled" not in html


def test_after_the_cooldown_the_button_sends(app: Flask) -> None:
    html = _render(app, _show(_test_send(DeliveryStatus.SENT), age=60))

    assert _find_button(html) == ("/w/harbor/destinations/1/test", "Send test to Ticket system")
    assert "data-until" not in html


def _show_planned(age: float, newest: AlertDelivery | None = None, **facts: Any) -> Status:
    """Show the fragment with a test that Support planned for a minute after `NOW`."""
    values = {"due_at": NOW + seconds(60), "ended_at": None, "end_reason": None, "ended_by": None} | facts
    planned = PlanRow(planner="Support", **values)
    return _show(newest or _test_send(DeliveryStatus.SENT), age, shared=SharedStatusData({}, 0, {1: planned}, {}))


def test_a_planned_test_is_shown_with_its_time_its_planner_and_a_button_that_cancels_it(app: Flask) -> None:
    html = _render(app, _show_planned(19))

    assert "Planned: sends at" in html
    assert ">09:31:00 UTC</span></time>, by <bdi>Support</bdi>." in html
    assert 'formaction="/w/harbor/destinations/1/plan/cancel" hx-post' in html
    assert _find_button(html)[1] == "Sends in 41 s, Ticket system"
    assert 'aria-disabled="true"' in html
    assert 'hx-get="/w/harbor/destinations/1/status?planned=1"' in html


def test_a_viewer_sees_a_planned_test_and_cannot_cancel_it(app: Flask) -> None:
    html = _render(app, _show_planned(19), Role.VIEWER)

    assert "Planned: sends at" in html
    assert "<button" not in html


def test_no_fragment_has_a_form_since_it_may_stand_within_one_or_beside_a_hundred_others(app: Flask) -> None:
    html = _render(app, _show_planned(19))

    assert "<form" not in html
    assert html.count("<button") == html.count('form="presses"') == 2


def test_a_planned_test_polls_at_its_time_and_at_least_every_10_seconds() -> None:
    assert [_show_planned(age).poll_ms for age in (1, 55, 59.9, 70)] == [10_000, 5000, 1000, 1000]


def test_while_a_test_is_pending_the_planned_one_does_not_slow_its_poll() -> None:
    assert _show_planned(1, _test_send(DeliveryStatus.QUEUED)).poll_ms == 10


@pytest.mark.parametrize(("late", "is_open"), [(119.9, True), (120, False)])
def test_a_planned_test_expires_when_it_is_two_minutes_late_also_without_a_worker(late: float, is_open: bool) -> None:
    status = _show_planned(60 + late)

    assert (status.plan is not None, status.poll_ms is not None, status.plan_end is None) == (is_open,) * 3


@pytest.mark.parametrize(("late", "lacks_worker"), [(2.9, False), (3, True)])
def test_a_planned_test_that_no_worker_runs_says_so(late: float, lacks_worker: bool) -> None:
    assert _show_planned(60 + late).lacks_worker is lacks_worker


@pytest.mark.parametrize("reason", list(PlanEnd))
def test_the_end_of_a_planned_test_is_explained(app: Flask, reason: PlanEnd) -> None:
    html = _render(app, _show_planned(31, ended_at=NOW + seconds(30), end_reason=reason, ended_by="Admin"))

    assert ("planned" in html, "{" in html, "hx-get" in html) == (True, False, False)


def test_a_newer_test_outdates_the_end_of_a_planned_one() -> None:
    assert _show_planned(1, ended_at=NOW - seconds(1), end_reason=PlanEnd.EXPIRED).plan_end is None


@pytest.mark.parametrize(
    ("reason", "age", "is_shown"),
    [
        (PlanEnd.CANCELED, timedelta(seconds=119), True),
        (PlanEnd.CANCELED, timedelta(seconds=120), False),
        (PlanEnd.EXPIRED, timedelta(hours=23), True),
        (PlanEnd.EXPIRED, timedelta(hours=24), False),
    ],
)
def test_what_a_member_did_is_shown_briefly_and_what_went_wrong_for_a_day(
    reason: PlanEnd, age: timedelta, is_shown: bool
) -> None:
    status = _show_planned(age.total_seconds(), ended_at=NOW, end_reason=reason, ended_by="Admin")

    assert (status.plan_end is not None) is is_shown


CERTIFICATE = {
    "not_before": (NOW - timedelta(days=80)).isoformat(),
    "not_after": (NOW + timedelta(days=10)).isoformat(),
}


def test_a_certificate_that_expires_soon_is_named_beside_sent(app: Flask) -> None:
    status = _show(_test_send(DeliveryStatus.SENT, exchange={"steps": [], "certificate": CERTIFICATE}))

    assert status.certificate_warning is not None
    with app.test_request_context():
        assert status.certificate_warning in unescape(render_status(_visit(), status, NOW))


@pytest.mark.parametrize(
    ("status", "facts"),
    [
        (DeliveryStatus.FAILED, {"last_error_code": "gone"}),
        (DeliveryStatus.QUEUED, {}),
        (DeliveryStatus.SENT, {"settings_version": 7}),
    ],
    ids=["failed", "pending", "other settings"],
)
def test_a_certificate_is_named_only_beside_a_result_that_counts(status: DeliveryStatus, facts: dict[str, Any]) -> None:
    test_send = _test_send(status, exchange={"steps": [], "certificate": CERTIFICATE}, **facts)
    destination = _destination()
    destination.settings_version = 8

    assert build_status(_visit(), destination, test_send, NOTHING_SHARED, NOW).certificate_warning is None


# The proof beside the badge, and who requested a drill

ADA = Account(id=7, name="Ada")


def _render_text(newest: AlertDelivery | None, proof: Proof = NO_PROOF, age: float = 0, **facts: Any) -> str:
    """Return the text of the fragment, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", _render_at(newest, proof, age, **facts))).split())


def _render_at(newest: AlertDelivery | None, proof: Proof, age: float, **facts: Any) -> str:
    destination, now = _destination(), NOW + seconds(age)
    for name, value in facts.items():
        setattr(destination, name, value)
    status = build_status(_visit(), destination, newest, SharedStatusData({}, 0, {}, {1: proof}), now)
    with current_app.test_request_context():
        return render_status(_visit(), status, now)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"drill": DrillNumber.FIRST}, "by the schedule of drills"),
        ({"drill": DrillNumber.SECOND}, "by the schedule of drills second drill"),
        ({"drill": DrillNumber.FIRST, "requested_by": ADA}, "by Ada drill"),
        ({"requested_by": ADA}, "by Ada"),
    ],
)
def test_the_fragment_says_who_requested_the_test(facts: dict[str, Any], words: str) -> None:
    assert f"{words} Accepted" in _render_text(_test_send(DeliveryStatus.SENT, **facts))


def test_the_fragment_names_nobody_if_the_account_was_deleted() -> None:
    assert " by " not in _render_text(_test_send(DeliveryStatus.SENT)).partition("Accepted")[0]


@pytest.mark.parametrize(("days", "is_shown"), [(29.99, False), (30, True)])
def test_an_old_badge_says_when_a_message_was_last_accepted(days: float, is_shown: bool) -> None:
    newest = _test_send(DeliveryStatus.SENT, id=5)
    proof = Proof(Acceptance(5, NOW, is_outdated=False))

    assert ("Last accepted 30 d ago ." in _render_text(newest, proof, days * 86_400)) == is_shown


def test_a_failed_test_says_when_a_message_was_last_accepted() -> None:
    newest = _test_send(DeliveryStatus.FAILED, id=5, last_error_code="gone")
    proof = Proof(Acceptance(4, NOW, is_outdated=True))

    text = _render_text(newest, proof, 3600)

    assert "Last accepted 1 h ago , with earlier settings." in text


@pytest.mark.parametrize("newest", [None, _test_send(DeliveryStatus.FAILED, id=5, last_error_code="gone")])
def test_a_real_alert_that_was_accepted_is_not_called_a_test(newest: AlertDelivery | None) -> None:
    text = _render_text(newest, Proof(Acceptance(4, NOW, is_outdated=False, is_real_alert=True)), 3600)

    assert "A real alert was accepted 1 h ago" in text
    assert "Last accepted" not in text


def test_the_warning_of_an_idle_flow_leads_to_the_drills() -> None:
    newest = _test_send(DeliveryStatus.SENT, id=5)
    proof = Proof(Acceptance(5, NOW, is_outdated=False))

    fragment = _render_at(newest, proof, 70 * 86_400, type="teams")

    assert '<a href="/w/harbor/drills">Drills</a> send one' in fragment


def test_a_disabled_destination_is_neither_stale_nor_warned_of() -> None:
    newest = _test_send(DeliveryStatus.SENT, id=5)
    proof = Proof(Acceptance(5, NOW, is_outdated=False))

    text = _render_text(newest, proof, 70 * 86_400, is_enabled=False, type="teams")

    assert "Last accepted" not in text
    assert "Microsoft turns off" not in text
    assert "Microsoft turns off" in _render_text(newest, proof, 70 * 86_400, type="teams")


def test_a_destination_that_needs_confirmation_says_so_beside_its_badge() -> None:
    newest = _test_send(DeliveryStatus.SENT, id=5, drill=DrillNumber.FIRST)
    drill = Confirmation(5, NOW, DeliveryStatus.SENT, None, None, None, None, None, None)
    drills = (drill, drill._replace(unconfirmed_at=NOW))

    texts = [_render_text(newest, Proof(None, drill), needs_confirmation=True) for drill in drills]

    assert "Needs confirmation: nobody has confirmed the drill of 4 May 2026 yet." in texts[0]
    assert "Needs confirmation: nobody confirmed the drill of 4 May 2026 within 7 days." in texts[1]
    assert "Needs confirmation" not in _render_text(newest, Proof(None, drill))
