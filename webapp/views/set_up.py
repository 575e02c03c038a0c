"""The page behind the set-up link: the first account and workspace, and later an instance admin for one session.

Opening the link changes nothing. It only keeps the token in the session's cookie, so that the token leaves the address
bar, and leads to the page. The form uses the link.
"""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.auth.known_clients import remember_client
from webapp.auth.password_sign_in import require_passwords
from webapp.auth.sessions import public, start_session
from webapp.auth.set_up_links import LinkEnded, SetUpLink, find_link
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db, get_client, limiter
from webapp.models import database_clock
from webapp.views.headers import PRIVATE_HEADERS
from webapp.workspaces.set_up import Admission
from webapp.workspaces.set_up_forms import ExistingAccountForm, InstallationForm, LaterAccountForm, NotUsed

bp = Blueprint("set_up", __name__, url_prefix="/set-up")

PageResponse = str | tuple[str, int] | Response
SetUpForm = InstallationForm | ExistingAccountForm | LaterAccountForm

# The key of the token in the session's cookie.
_OPENED = "set_up"

WELCOME = "You are an admin of this workspace, and of the installation."
ADMITTED = "You are an instance admin until you sign out."


def _is_refused(response: Response) -> bool:
    return response.status_code == 404


# Of one network.
limit_wrong_tokens = limiter.shared_limit("30 per minute", scope="set-up link", deduct_when=_is_refused)


@bp.after_request
def keep_private(response: Response) -> Response:
    """Keep the pages out of search engines, and the address with the token out of the requests that follow it."""
    headers = dict(PRIVATE_HEADERS)
    if not request.view_args:  # without a referrer, the form could not prove where it comes from
        del headers["Referrer-Policy"]
    response.headers.update(headers)
    return response


@bp.get("/<setup_token>")
@public
@limit_wrong_tokens
@limiter.limit("60 per minute")
def open_link(setup_token: str) -> PageResponse:
    """Keep the token, and lead to the page."""
    if find_link(setup_token, database_clock.now()) is None:
        return render_ended()
    session[_OPENED] = setup_token
    return redirect(url_for("set_up.show"))


@bp.get("")
@public
@limiter.limit("120 per minute")
def show() -> PageResponse:
    """Show the form of the opened link: for the first account, or for an existing and a new one."""
    link = find_opened()
    return _render(_make_form(link)) if link else render_ended()


@bp.post("/check")
@public
@limiter.limit("60 per minute")
def check() -> PageResponse:
    """Check a form in a browser with JavaScript: return its errors, or 204 if it can be submitted. Changes nothing."""
    link = find_opened()
    form = _make_form(link) if link else None
    if form is None or form.validate():
        return Response(status=204)
    return render_template("_form_check.html", form=form)


@bp.post("")
@public
@limiter.limit("30 per minute")
def submit() -> PageResponse:
    """Use the link: make what was typed, and start a session. A mistake in the form uses nothing."""
    link = find_opened()
    if link is None:
        return render_ended()
    form = _make_form(link)
    if not isinstance(form, ExistingAccountForm):
        require_passwords()
    if not form.validate():
        return _render(form), 400
    try:
        admission = form.use(link, database_clock.now())
    except LinkEnded:
        db.session.rollback()
        return render_ended()
    except NotUsed:
        db.session.rollback()
        return _render(form), 400
    return _admit(admission)


def _admit(admission: Admission) -> Response:
    """Start the session, commit, and lead on."""
    account, workspace = admission.account, admission.workspace
    remember_client(account, get_client(), database_clock.now())
    start_session(account, is_instance_admin=workspace is None)
    flash(WELCOME if workspace else ADMITTED)
    return redirect(url_for("workspaces.show", slug=workspace.slug) if workspace else url_for("workspaces.home"))


def find_opened() -> SetUpLink | None:
    """Return the link that this browser has opened, if it still works."""
    return find_link(session.get(_OPENED, ""), database_clock.now())


def _make_form(link: SetUpLink) -> SetUpForm:
    """Return the form for the link, with what was submitted. A later link has two forms: then the submitted one."""
    if link.is_first:
        return InstallationForm()
    return ExistingAccountForm() if request.method == "GET" or "existing" in request.form else LaterAccountForm()


def _render(form: SetUpForm) -> str:
    """Render the page. Of a later link's two forms, the one that was not submitted is blank."""
    if isinstance(form, InstallationForm):
        return render_template("set_up.html", form=form, bare=True)
    blank = MultiDict[str, str]()
    existing = form if isinstance(form, ExistingAccountForm) else ExistingAccountForm(blank)
    new = form if isinstance(form, LaterAccountForm) else LaterAccountForm(blank)
    return render_template("set_up_again.html", form=form, existing=existing, new=new, bare=True)


def render_ended() -> tuple[str, int]:
    """Render the same page whether the link has ended or never existed."""
    return render_template("set_up_ended.html", command=COMMAND, bare=True), 404
