"""Views for sign-in, sign-out and password change."""

import hashlib
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as FlaskResponse
from flask_limiter.util import get_remote_address
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.auth import accounts
from webapp.auth.accounts import find_by_password, normalize_email, record_refused_sign_in
from webapp.auth.forms import PasswordForm, SignInForm
from webapp.auth.sessions import current_account, end_session, public, start_session
from webapp.extensions import limiter

bp = Blueprint("auth", __name__)

PageResponse = str | tuple[str, int] | Response


def _submitted_account() -> str:
    # Hashed, because the limiter logs its keys, and people enter passwords into the wrong field.
    return hashlib.sha256(normalize_email(request.form.get("email", "")).encode()).hexdigest()


def _submitted_account_and_address() -> str:
    return f"{_submitted_account()} {get_remote_address()}"


def _was_refused(response: FlaskResponse) -> bool:
    return response.status_code not in (302, 429)


@bp.get("/sign-in")
@public
def show_sign_in() -> PageResponse:
    """Show the sign-in form; redirect visitors who are signed in."""
    if current_user.is_authenticated:
        return redirect(url_for("workspaces.home"))
    return render_template("sign_in.html", form=SignInForm())


@bp.post("/sign-in")
@public
@limiter.limit("20 per minute")
@limiter.limit("10 per 15 minutes", key_func=_submitted_account_and_address, deduct_when=_was_refused)
@limiter.limit("30 per 15 minutes", key_func=_submitted_account, deduct_when=_was_refused)
def sign_in() -> PageResponse:
    """Sign in by password, and redirect to the requested page."""
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("sign_in.html", form=form), 400
    account = find_by_password(form.email.data or "", form.password.data or "")
    if account is None:
        record_refused_sign_in(form.email.data or "", datetime.now(UTC))
        form.password.errors = ["The email address or the password is incorrect."]
        return render_template("sign_in.html", form=form), 400
    start_session(account)
    return redirect(_requested_page())


@bp.post("/sign-out")
def sign_out() -> PageResponse:
    """End the session."""
    end_session()
    flash("You are signed out.")
    return redirect(url_for("auth.show_sign_in"))


@bp.get("/password")
def show_password() -> PageResponse:
    """Show the form for a new password."""
    return render_template("password.html", form=PasswordForm())


@bp.post("/password")
@limiter.limit("10 per 15 minutes", key_func=lambda: str(current_account().id))
def change_password() -> PageResponse:
    """Set a new password, end every session of the account, and start a new one on this browser."""
    form, account = PasswordForm(), current_account()
    if form.validate_on_submit() and find_by_password(account.email, form.current.data or "") is None:
        form.current.errors = ["This is not your current password."]
    if form.errors or not form.is_submitted():
        return render_template("password.html", form=form), 400
    accounts.change_password(account, form.new.data or "", datetime.now(UTC))
    start_session(account)
    flash("Your password was changed. You were signed out everywhere else.")
    return redirect(url_for("workspaces.home"))


def _requested_page() -> str:
    target = request.args.get("next", "")
    # Browsers drop control characters and treat a backslash as a slash: "/\t/evil.example" opens evil.example.
    is_plain = target.isprintable() and " " not in target and "\\" not in target
    is_local = is_plain and target.startswith("/") and not target.startswith("//")
    return target if is_local else url_for("workspaces.home")
