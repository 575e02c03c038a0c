"""Views for sign-in, sign-out and password change."""

import math

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from webapp.app_state import app_state
from webapp.auth import accounts
from webapp.auth.email_address import read_email
from webapp.auth.known_clients import remember_client
from webapp.auth.password_forms import PasswordForm, SignInForm
from webapp.auth.password_sign_in import PasswordsOff, check_sign_in, require_passwords
from webapp.auth.password_strength import WeakPassword
from webapp.auth.sessions import current_account, end_session, public, start_session
from webapp.auth.set_up_links import is_new_installation
from webapp.auth.sign_in_limits import TooManyTries
from webapp.database.request_timeouts import waiting_at_most
from webapp.database.sessions import discard_transaction
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db, get_client, limiter
from webapp.models import Account, database_clock
from webapp.views.errors import ErrorResponse, render_error
from webapp.views.sign_in_page import lead_on, render_sign_in
from webapp.views.single_sign_on import describe_missing_sign_out, find_sign_out_page, is_signed_in_by_provider

# Seconds that the sign-in form waits for the database, which it needs only to recognize who is signed in already.
FORM_WAIT = 0.3

NO_ACCOUNT = (
    "No account exists yet. To make the first one, your Alertcheck administrator opens the set-up link, which is in "
    f"the log of the web server if ALERTCHECK_PUBLIC_URL is set. This command makes a new link: {COMMAND} setup-link"
)
PASSWORDS_OFF = "Sign in with your company account: the button is on the sign-in page."

bp = Blueprint("sign_in", __name__)

PageResponse = str | tuple[str, int] | Response


@bp.app_errorhandler(PasswordsOff)
def _handle_passwords_off(_error: PasswordsOff) -> ErrorResponse:
    """Refuse what needs a password where there are none."""
    return render_error(403, "Passwords are turned off", PASSWORDS_OFF, {})


@bp.get("/sign-in")
@public
def show_sign_in() -> PageResponse:
    """Show the sign-in form; redirect visitors who are signed in to the requested page.

    Without the database, show the form.
    """
    return lead_on() if _is_signed_in() else render_sign_in(SignInForm(), _find_set_up_notice())


@bp.post("/sign-in")
@public
@limiter.limit("20 per minute")
def sign_in() -> PageResponse:
    """Sign in by password, and lead on to a kept form or to the requested page."""
    require_passwords()
    form = SignInForm()
    if not form.validate_on_submit():
        return render_sign_in(form), 400
    account = _check_sign_in(read_email(form.email.data or ""), form.password.data or "")
    if account is None:
        form.password.errors = ["The email address or the password is incorrect."]
        return render_sign_in(form), 400
    start_session(account)
    return lead_on()


def _check_sign_in(email: str, password: str) -> Account | None:
    try:
        return check_sign_in(email, password, get_client(), database_clock.now())
    except TooManyTries as reason:
        db.session.rollback()
        raise TooManyRequests(retry_after=math.ceil(reason.wait.total_seconds())) from None


@bp.post("/sign-out")
def sign_out() -> PageResponse:
    """End the session, and lead on to the provider's sign-out if the visitor came from there."""
    is_by_provider = is_signed_in_by_provider()
    end_session()
    page = find_sign_out_page() if is_by_provider else None
    if page is not None:
        return page
    flash(describe_missing_sign_out() if is_by_provider else "You are signed out.")
    return redirect(url_for("sign_in.show_sign_in"))


@bp.get("/password")
def show_password() -> PageResponse:
    """Show the form for a new password."""
    require_passwords()
    return render_template("password.html", form=PasswordForm())


@bp.post("/password")
@limiter.limit("10 per 15 minutes", key_func=lambda: str(current_account().id))
def change_password() -> PageResponse:
    """Set a new password, end every session of the account, and start a new one in this browser."""
    require_passwords()
    form, account = PasswordForm(), current_account()
    if not form.validate_on_submit() or not _set_password(account, form):
        return render_template("password.html", form=form), 400
    remember_client(account, get_client(), database_clock.now())
    start_session(account)
    flash("Your password was changed. You were signed out everywhere else.")
    return redirect(url_for("workspaces.home"))


def _set_password(account: Account, form: PasswordForm) -> bool:
    current, new = form.current.data or "", form.new.data or ""
    try:
        is_changed = accounts.change_own_password(account, current, new, database_clock.now())
    except WeakPassword as reason:
        form.new.errors = [str(reason)]
        return False
    if not is_changed:
        form.current.errors = ["This is not your current password."]
    return is_changed


def _find_set_up_notice() -> str | None:
    """Return how to make the first account, if there never was one. Once there was, the database is not asked."""
    state = app_state()
    if state.settings.demo or state.has_had_account:
        return None
    try:
        with waiting_at_most(FORM_WAIT):
            state.has_had_account = not is_new_installation(db.session)
    except SQLAlchemyError:
        discard_transaction()
        return None
    return None if state.has_had_account else NO_ACCOUNT


def _is_signed_in() -> bool:
    try:
        with waiting_at_most(FORM_WAIT):
            return bool(current_user.is_authenticated)
    except SQLAlchemyError:
        discard_transaction()
        return False
