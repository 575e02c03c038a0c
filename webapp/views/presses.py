"""Views for Send test: send a test, plan one for the end of the cooldown, and poll. All return the status fragment."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_destination, load_visit
from webapp.auth.sessions import current_account, require_sign_in_again, shows
from webapp.dashboard.status_fragment import (
    STATUS,
    Status,
    await_outcome,
    build_status,
    find_block_reason,
    load_status,
    render_status,
)
from webapp.database.sessions import read_again_if_disconnected
from webapp.extensions import limiter
from webapp.models import AlertDestination, database_clock
from webapp.presses.planned_tests import cancel, press_or_plan
from webapp.presses.press import PressResult, press
from webapp.views.form_submissions import confirms_paging, is_page_load
from webapp.views.press_responses import STATUSES, describe_refusal

bp = Blueprint("presses", __name__)

Fragment = tuple[str, int, dict[str, str]]
UseCase = Callable[[Visit, AlertDestination, datetime, bool], PressResult]

NOTHING_PLANNED = "No test is planned any more."


@bp.post("/w/<slug>/destinations/<destination_id>/test")
def send_test(slug: str, destination_id: str) -> Fragment | Response:
    """Send a test, or return why not: 403 not allowed, 409 disabled, 429 too soon, 503 queue unavailable.

    409 too if it would page people, and the form does not confirm that.
    """
    return _respond_to_press(slug, destination_id, press)


@bp.post("/w/<slug>/destinations/<destination_id>/plan")
@limiter.limit("60 per minute", key_func=lambda: str(current_account().id))
def plan_test(slug: str, destination_id: str) -> Fragment | Response:
    """Send a test, or during the cooldown plan one for its end. Returns why not like `send_test`."""
    return _respond_to_press(slug, destination_id, press_or_plan)


@bp.post("/w/<slug>/destinations/<destination_id>/plan/cancel")
def cancel_plan(slug: str, destination_id: str) -> Fragment | Response:
    """Cancel the planned test. Returns 403 if the role may not test, 409 if none is planned any more."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    if not visit.role.may_test:
        abort(403)
    is_canceled = cancel(visit, destination, database_clock.now())
    return _respond(visit, destination, *((200, None) if is_canceled else (409, NOTHING_PLANNED)))


@bp.get("/w/<slug>/destinations/<destination_id>/status")
@shows(STATUS)
def show(slug: str, destination_id: str) -> Fragment | Response:
    """Return the current status fragment, perhaps after waiting for the outcome."""
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    if await_outcome(destination):
        refusal = require_sign_in_again()
        if refusal:
            return refusal
        visit = load_visit(slug)
        destination = load_destination(visit, destination_id)
    return _render_response(visit, destination, 200)


def _respond_to_press(slug: str, destination_id: str, use_case: UseCase) -> Fragment | Response:
    visit = load_visit(slug)
    destination = load_destination(visit, destination_id)
    now = database_clock.now()
    block_reason = find_block_reason(visit, destination, None, now)
    result = use_case(visit, destination, now, confirms_paging())
    status, refusal = STATUSES[result.result], block_reason or describe_refusal(result)
    return _respond(visit, destination, status, refusal, result.seconds)


def _respond(
    visit: Visit, destination: AlertDestination, code: int, refusal: str | None, wait: int | None = None
) -> Fragment | Response:
    if is_page_load():
        if refusal:
            flash(refusal)
        page = url_for("destinations.show", slug=visit.workspace.slug, destination_id=destination.id)
        return redirect(page, 303)
    return read_again_if_disconnected(lambda: _render_response(visit, destination, code, refusal, wait))


def _render_response(
    visit: Visit, destination: AlertDestination, code: int, refusal: str | None = None, wait: int | None = None
) -> Fragment:
    now = database_clock.now()
    newest, shared = load_status(destination, now)
    status = build_status(visit, destination, newest, shared, now, refusal)
    # At least 1 s: the rate limiter's cooldown may outlast the row's by a fraction of a second.
    headers = {"Retry-After": str(wait or max(status.cooldown, 1))} if code == 429 else {}
    if request.method == "POST" or status.poll_ms is None or _has_begun(status):
        headers["HX-Trigger"] = "tested"  # reloads the other fragments that show this test
    return render_status(visit, status, now), code, headers


def _has_begun(status: Status) -> bool:
    """Return whether the planned test that the polling fragment shows has become a test send."""
    return "planned" in request.args and status.plan is None
