"""The page of a customer's link: for people without an account, it shows one destination and lets them test it.

Opening it, or having a program look at it, sends and records nothing. A press counts from two seconds after its page
was made, like that on a receipt link's page: programs that check links submit forms too.
"""

import logging
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.customer_links import CustomerVisit, note_use, open_link
from webapp.auth.customer_tokens import find_page_time, sign_page
from webapp.auth.form_protection import check_private_form
from webapp.auth.sessions import public
from webapp.dashboard.customer_wording import word_for_customer
from webapp.dashboard.status_fragment import await_outcome, build_status, load_status
from webapp.database.sessions import read_again_if_disconnected
from webapp.deliveries import can_be_confirmed, record_by_customer_link
from webapp.deliveries.newest_deliveries import find_newest_test
from webapp.destinations.masking import find_host
from webapp.extensions import csrf, limiter
from webapp.models import Receipt, database_clock
from webapp.presses.press import press
from webapp.receipt_links import is_read
from webapp.views.headers import PRIVATE_HEADERS
from webapp.views.press_responses import REFUSALS_TO_CUSTOMERS, STATUSES, describe_refusal

bp = Blueprint("customer_page", __name__, url_prefix="/c/<customer_token>")
log = logging.getLogger(__name__)

PageResponse = tuple[str, int, dict[str, str]] | Response

EARLY = (
    "Your press was not counted. Programs that check links press buttons too, so a press counts from two seconds after "
    "the page opens. Press the button again."
)
NEWER_TEST = "Not recorded: a newer test was sent meanwhile, or it is not complete. Look at its result."


def _is_refused(response: Response) -> bool:
    return response.status_code == 404


# Of one network, for all addresses of these pages together.
limit_wrong_tokens = limiter.shared_limit("30 per minute", scope="customer link", deduct_when=_is_refused)


@bp.after_request
def keep_link_private(response: Response) -> Response:
    """Set the private headers on every page of a link, error pages included."""
    response.headers.update(PRIVATE_HEADERS)
    return response


@bp.get("")
@public
@limit_wrong_tokens
@limiter.limit("120 per minute")
def show(customer_token: str) -> PageResponse:
    """Show the destination, its last test and the buttons. Changes nothing: programs that check links open it too."""
    opened = open_link(customer_token, database_clock.now())
    return _render(opened, customer_token, whole=True) if opened else _render_ended()


@bp.get("/status")
@public
@limit_wrong_tokens
@limiter.limit("300 per minute")
def show_status(customer_token: str) -> PageResponse:
    """Return the current status fragment, perhaps after waiting for the outcome."""
    opened = open_link(customer_token, database_clock.now())
    if opened and await_outcome(opened.destination):
        opened = open_link(customer_token, database_clock.now())
    return _render(opened, customer_token, whole=False) if opened else _render_ended()


@bp.post("")
@public
# There is no session to protect. The form's own token is bound to the link and to its page.
@csrf.exempt  # type: ignore[untyped-decorator]
@limit_wrong_tokens
@limiter.limit("30 per minute")
def press_button(customer_token: str) -> PageResponse:
    """Send a test, or record what the customer says about the last one: the form's field `test`, `seen` or `missing`.

    A press from no page of this link, or that comes too soon after it, only opens the link.
    """
    check_private_form()
    now = database_clock.now()
    opened = open_link(customer_token, now)
    if opened is None:
        return _render_ended()
    made_at = find_page_time(request.form.get("page", ""), opened.link_id)
    if made_at is None or not is_read(made_at, now):
        log.info("customer link opened", extra={"link": opened.link_id})
        return _respond(opened, customer_token, EARLY, 200)
    notice, status, seconds = _act(opened, now)
    note_use(opened.link_id, now)
    return _respond(opened, customer_token, notice, status, seconds)


def _act(opened: CustomerVisit, now: datetime) -> tuple[str | None, int, int]:
    """Do what the pressed button says. Returns why not, the HTTP status, and the seconds until another press."""
    for name, receipt in (("seen", Receipt.SEEN), ("missing", Receipt.MISSING)):
        if name in request.form:
            return _record(opened, receipt, request.form[name], now)
    if "test" not in request.form:
        abort(400)
    result = press(opened.visit, opened.destination, now)
    return describe_refusal(result, REFUSALS_TO_CUSTOMERS), STATUSES[result.result], result.seconds


def _record(opened: CustomerVisit, receipt: Receipt, reference: str, now: datetime) -> tuple[str | None, int, int]:
    """Record a receipt for the newest test, if it is the one that the page showed."""
    newest = find_newest_test(opened.destination)
    is_shown = newest is not None and can_be_confirmed(newest) and (newest.reference or "") == reference
    if newest is None or not is_shown or not record_by_customer_link(newest, opened.visit.account, receipt, now):
        return NEWER_TEST, 409, 0
    return None, 200, 0


def _respond(opened: CustomerVisit, token: str, notice: str | None, status: int, seconds: int = 0) -> PageResponse:
    """Respond to a press with the fragment, or without JavaScript with the page, loaded anew if all is well."""
    is_fragment = bool(request.headers.get("HX-Request"))
    if not is_fragment and notice is None and status == 200:
        return redirect(url_for("customer_page.show", customer_token=token), 303)
    return read_again_if_disconnected(
        lambda: _render(opened, token, whole=not is_fragment, notice=notice, code=status, seconds=seconds)
    )


def _render(
    opened: CustomerVisit, token: str, *, whole: bool, notice: str | None = None, code: int = 200, seconds: int = 0
) -> PageResponse:
    now = database_clock.now()
    newest, shared = load_status(opened.destination, now)
    status = build_status(opened.visit, opened.destination, newest, shared, now, notice)
    status = replace(status, last_test=word_for_customer(status.last_test))
    page = render_template(
        "customer_page.html" if whole else "_customer_status.html",
        token=token,
        status=status,
        expires_at=opened.expires_at,
        host=find_host(opened.destination, current_settings().cipher),
        can_be_confirmed=can_be_confirmed(newest),
        proof=_find_proof(opened.link_id, now),
        now=now,
    )
    return page, code, {"Retry-After": str(seconds or max(status.cooldown, 1))} if code == 429 else {}


def _find_proof(link_id: int, now: datetime) -> str:
    """Return the proof of the page that was shown before, so that another press counts at once, or a new one."""
    shown = request.form.get("page", "")
    return shown if find_page_time(shown, link_id) else sign_page(link_id, now)


def _render_ended() -> PageResponse:
    # An open page loads itself again, and then shows this.
    headers = {"HX-Refresh": "true"} if request.headers.get("HX-Request") else {}
    return render_template("customer_link_ended.html"), 404, headers
