"""The view of one test send, by the reference in its message. Its address is a permanent link for a ticket."""

from flask import Blueprint, abort, render_template

from webapp.auth.access import Visit, list_memberships
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.dashboard.poll_interval import next_poll_ms
from webapp.deliveries import end_if_overdue, list_attempts
from webapp.deliveries.arrival import describe_arrival, describe_receipt
from webapp.deliveries.badge import Badge, describe_outcome, is_outdated
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.metrics.backlog import count_waiting
from webapp.models import AlertDelivery, Member, database_clock
from webapp.search.references import find_tests
from webapp.text.ids import parse_id
from webapp.text.references import read_reference

bp = Blueprint("references", __name__)


@bp.get("/r/<reference>")
def show(reference: str) -> str:
    """Show the test send with this reference. If there are several, list them; 404 if there is none for the visitor."""
    members, tests = _find(reference)
    if len(tests) == 1:
        return _render(members, tests[0])
    return render_template(
        "reference_matches.html",
        reference=tests[0].reference,
        rows=[
            (members[test.workspace_id].workspace, test, describe_outcome(test, test.destination.type))
            for test in tests
        ],
        now=database_clock.now(),
    )


@bp.get("/r/<reference>/<delivery_id>")
def show_one(reference: str, delivery_id: str) -> str:
    """Show one of several test sends with the same reference."""
    members, tests = _find(reference)
    wanted = parse_id(delivery_id)
    return _render(members, next((test for test in tests if test.id == wanted), None) or abort(404))


def _find(reference: str) -> tuple[dict[int, Member], list[AlertDelivery]]:
    """Find the test sends in the visitor's workspaces. Aborts with 404 if there is none."""
    members = {member.workspace_id: member for member in list_memberships(current_account())}
    references = read_reference(reference)
    tests = list(find_tests(references, list(members))) if references else []
    return members, tests or abort(404)


def _render(members: dict[int, Member], test: AlertDelivery) -> str:
    now, member = database_clock.now(), members[test.workspace_id]
    end_if_overdue(test, now)
    outcome = describe_outcome(test, test.destination.type)
    is_pending = outcome.badge is Badge.PENDING
    return render_template(
        "reference_page.html",
        visit=Visit(current_account(), member.workspace, member.role),
        test=test,
        destination=test.destination,
        channel=CHANNELS.get(test.destination.type),
        outcome=outcome,
        is_outdated=is_outdated(test, test.destination.settings_version),
        arrival=describe_arrival(test),
        receipt=describe_receipt(test),
        attempts=list_attempts(test),
        newest=find_newest_test(test.destination),
        poll_ms=next_poll_ms(test, None, now, count_waiting(test.workspace_id)) if is_pending else None,
        now=now,
    )
