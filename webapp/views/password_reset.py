"""The pages of a forgotten password: ask for a link by mail, and set a new password by a link.

The token leaves the address bar at once: it moves into the session's cookie. The page's form contains it, so each sets
the password of the account that its own page named. A page answers the same, and in the same time, for every address.
"""

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webapp.account_mail.requesting import enqueue_mail
from webapp.auth.email_address import read_email
from webapp.auth.known_clients import remember_client
from webapp.auth.password_forms import ForgottenPasswordForm, NewPasswordForm
from webapp.auth.password_reset import find_resetting_account, is_reset_offered, request_reset, reset_password
from webapp.auth.password_strength import WeakPassword
from webapp.auth.sessions import public, start_session
from webapp.extensions import db, get_client, limiter
from webapp.models import database_clock
from webapp.views.headers import PRIVATE_HEADERS

bp = Blueprint("password_reset", __name__)

PageResponse = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response

# Where the session keeps the token of the link that was opened.
_TOKEN = "reset_token"  # noqa: S105 - a name

FIELD = "link"


@bp.get("/forgot-password")
@public
def show_request() -> PageResponse:
    """Show the form that asks for the address."""
    _require_offer()
    return render_template("forgot_password.html", form=ForgottenPasswordForm(), bare=True)


@bp.post("/forgot-password")
@public
@limiter.limit("5 per minute; 20 per hour")
def request_link() -> PageResponse:
    """Request a mail, and answer the same for every address."""
    _require_offer()
    form = ForgottenPasswordForm()
    if not form.validate_on_submit():
        return render_template("forgot_password.html", form=form, bare=True), 400
    enqueue_mail(request_reset(read_email(form.email.data or ""), database_clock.now()))
    return redirect(url_for("password_reset.show_requested"), 303)


@bp.get("/forgot-password/requested")
@public
def show_requested() -> PageResponse:
    """Say what happens now, whatever the address was."""
    _require_offer()
    return render_template("forgot_password_requested.html", bare=True)


@bp.get("/reset-password/<reset_token>")
@public
@limiter.limit("60 per minute")
def open_link(reset_token: str) -> PageResponse:
    """Open a link. Changes nothing but this browser's cookie: programs that check mail open links too."""
    if find_resetting_account(reset_token, database_clock.now()) is None:
        return _render_ended(reset_token)
    session[_TOKEN] = reset_token
    response = redirect(url_for("password_reset.show_form"), 303)
    response.headers.update(PRIVATE_HEADERS)
    return response


@bp.get("/reset-password")
@public
@limiter.limit("60 per minute")
def show_form() -> PageResponse:
    """Show the form for the new password."""
    token = session.get(_TOKEN, "")
    account = find_resetting_account(token, database_clock.now())
    if account is None:
        return _render_ended(token)
    return _render(NewPasswordForm(), account.email, token)


@bp.post("/reset-password")
@public
@limiter.limit("20 per minute")
def set_password() -> PageResponse:
    """Set the new password, end every session of the account, and start a new one in this browser."""
    token, form, now = request.form.get(FIELD, ""), NewPasswordForm(), database_clock.now()
    account = find_resetting_account(token, now)
    if account is None:
        return _render_ended(token)
    email = account.email
    try:
        account = reset_password(token, form.new.data or "", now) if form.validate_on_submit() else account
    except WeakPassword as reason:
        form.new.errors = [str(reason)]
    if form.errors:
        db.session.rollback()
        return _render(form, email, token), 400
    if account is None:
        return _render_ended(token)
    remember_client(account, get_client(), now)
    start_session(account)
    flash("Your new password is set. All other sessions have ended.")
    return redirect(url_for("workspaces.home"), 303)


def _require_offer() -> None:
    if not is_reset_offered():
        abort(404)


def _render(form: NewPasswordForm, email: str, token: str) -> str:
    return render_template("reset_password.html", form=form, email=email, token=token, bare=True)


def _render_ended(token: str) -> PageResponse:
    """Render that a link does not work. The session keeps the token of another one, which may still work."""
    if session.get(_TOKEN) == token:
        session.pop(_TOKEN)
    page = render_template("account_link_ended.html", is_reset=True, is_offered=is_reset_offered(), bare=True)
    return page, 404, PRIVATE_HEADERS
