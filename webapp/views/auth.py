"""Sign in and out."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from werkzeug.wrappers import Response

from webapp.access import public, start_session
from webapp.accounts import find_by_password
from webapp.extensions import limiter
from webapp.forms import SignInForm

bp = Blueprint("auth", __name__)

Page = str | tuple[str, int] | Response


def _typed_email() -> str:
    return request.form.get("email", "").strip().lower()


@bp.get("/sign-in")
@public
def show_sign_in() -> Page:
    """Ask who is there."""
    if current_user.is_authenticated:
        return redirect(url_for("workspaces.home"))
    return render_template("sign_in.html", form=SignInForm())


@bp.post("/sign-in")
@public
@limiter.limit("20 per minute")
@limiter.limit("10 per 15 minutes", key_func=_typed_email, deduct_when=lambda response: response.status_code != 302)
def sign_in() -> Page:
    """Sign in by password, and go where the visitor wanted to."""
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("sign_in.html", form=form), 400
    account = find_by_password(form.email.data or "", form.password.data or "")
    if account is None:
        form.password.errors = ["The e-mail address or the password is not right."]
        return render_template("sign_in.html", form=form), 400
    start_session(account)
    return redirect(_wanted_page())


@bp.post("/sign-out")
def sign_out() -> Page:
    """End the session."""
    logout_user()
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("auth.show_sign_in"))


def _wanted_page() -> str:
    wanted = request.args.get("next", "")
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if is_ours else url_for("workspaces.home")
