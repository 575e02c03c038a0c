"""The pages and rules of a public demo: each visitor starts a demo of their own, and reaches nothing else."""

from flask import Blueprint, Flask, Response, abort, flash, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from webapp.app_state import app_state
from webapp.auth.sessions import current_account, end_session, public, start_session
from webapp.demo.visits import ended_visits, visits
from webapp.demo.visits.capacity import TooManyVisitors
from webapp.extensions import get_client, limiter
from webapp.models import database_clock
from webapp.settings import VISIT_TIME
from webapp.views.demo.access import find_reason
from webapp.views.errors import ErrorResponse, describe_wait, render_error

bp = Blueprint("public_demo", __name__, url_prefix="/demo")

# There is no password in the demo, nobody is asked for one, and what the installation measures concerns nobody. Nobody
# sends links to customers or invites others, who would be strangers. Each visitor is the only member of their
# workspace, and stays it. Nobody imports what they have elsewhere, since a demo reaches none of it. A visit ends
# before a drill is due. The hosts and the data of others are out of each visitor's reach.
CLOSED = frozenset({"sign_in.sign_in", "sign_in.sign_out", "sign_in.show_password", "sign_in.change_password"}) | {
    *("metrics.show_metrics", "customer_links.make", "customer_links.revoke"),
    *("demo_panel.switch_certificate", "demo_panel.confirm_reset", "demo_panel.reset"),
}
CLOSED_BLUEPRINTS = frozenset(
    {
        *("account", "customer_page", "drills", "evidence", "imports", "invitation", "invitations", "members"),
        *("password_reset", "problems", "set_up", "single_sign_on", "time_zones"),
        *("instance", "instance_accounts", "instance_audit", "instance_mail", "instance_workspaces"),
    }
)
# The demo's supervisor asks for it, on this machine.
OF_THIS_MACHINE = "health.show_readiness"
LIVENESS = "health.show_liveness"
START_PAGE = "sign_in.show_sign_in"
ADDING = frozenset({"destination_forms.choose", "destination_forms.add"})

NEEDS_HTTPS = (
    "This demo is reached over https only. If you run it: the proxy in front of it must set X-Forwarded-Proto to the "
    "scheme that the visitor uses; see docs/deploy.md.\n"
)
ALL_TAKEN = "All places in this demo are taken. Come back in {wait}: a demo ends after two hours, or sooner."
NETWORK_TAKEN = (
    "Other visitors from your network are using the demo, and it has few places for each network. Come back in {wait}, "
    "or let one of them end their demo."
)
NO_ROOM = (
    f"A workspace of this demo has up to {visits.MAX_DESTINATIONS} destinations, and up to "
    f"{visits.MAX_DESTINATIONS_MADE} with those that were deleted. Change one that is there."
)


def init_public_demo(app: Flask) -> None:
    """Add the pages, check every request, and let the worker delete what visitors leave behind."""
    app.register_blueprint(bp)
    app.before_request_funcs.setdefault(None, []).insert(0, _check_request)
    app.before_request(_limit_visitor)
    app.after_request(_keep_out_of_search_engines)
    app_state(app).maintenance.append(ended_visits.delete_ended_visit)


@bp.post("/start")
@public
@limiter.limit("30 per hour")
def start() -> ErrorResponse | AnyResponse:
    """Start a demo, and lead to it. A visitor who has one already is led to that: nothing extends it."""
    if not current_user.is_authenticated:
        try:
            account = visits.start_visit(get_client(), database_clock.now())
        except TooManyVisitors as full:
            return _render_full(full)
        start_session(account)
        session["demo_ends_at"] = (database_clock.now() + VISIT_TIME).isoformat()
    return redirect(url_for("workspaces.home"), 303)


@bp.post("/end")
def end() -> AnyResponse:
    """End the visitor's demo and session. The worker deletes what is in it."""
    visits.end_visit(current_account(), database_clock.now())
    end_session()
    flash("Your demo has ended. Everything in it is being deleted.")
    return redirect(url_for(START_PAGE), 303)


def _render_full(full: TooManyVisitors) -> ErrorResponse:
    status, title, advice = (429, "Your network has no free place", NETWORK_TAKEN)
    if not full.is_network:
        status, title, advice = (503, "The demo is full", ALL_TAKEN)
    wait = describe_wait(full.seconds)
    return render_error(status, title, advice.format(wait=wait), {"Retry-After": str(full.seconds)})


def _check_request() -> tuple[str, int] | Response | None:
    """Check every request before anything else, such as a rate limit or a session, handles it."""
    if request.endpoint == LIVENESS or request.routing_exception is not None:
        return None
    if request.endpoint == OF_THIS_MACHINE:
        return None if find_reason(request.environ) is None else abort(404)
    if not request.is_secure:
        return Response(NEEDS_HTTPS, 403, content_type="text/plain; charset=utf-8")
    is_closed = request.endpoint in CLOSED or request.blueprint in CLOSED_BLUEPRINTS
    return abort(404) if is_closed else None


def _limit_visitor() -> ErrorResponse | None:
    """Limit what a signed-in visitor may do. Runs after the checks of the session and the form."""
    if not current_user.is_authenticated or request.endpoint == "static":
        return None
    if request.method == "POST":
        _count_post()
    if request.endpoint in ADDING and _is_full():
        return render_error(409, "Your workspace is full", NO_ROOM, {})
    return None


@limiter.limit("60 per minute", key_func=lambda: f"visitor {current_account().id}")
def _count_post() -> None:
    """Count a form that a visitor submits. Aborts with 429 if there were too many."""


def _is_full() -> bool:
    visit = visits.find_visit(current_account())
    return visit is not None and not visits.has_room(visit)


def _keep_out_of_search_engines(response: Response) -> Response:
    """Let search engines list the start page alone, and find it. Every other page is somebody's own."""
    is_start = request.endpoint in (START_PAGE, "static") and response.status_code == 200
    if not is_start and response.location is None:
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
    return response
