"""Shows the sign-in page, and leads on from it: to the requested page, or back to a form with what was typed."""

from flask import redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth import kept_forms
from webapp.auth.form_tokens import account_key
from webapp.auth.kept_forms import KeptForm, read_kept_form
from webapp.auth.own_paths import read_own_path
from webapp.auth.password_forms import SignInForm
from webapp.auth.sessions import current_account
from webapp.models import database_clock


def render_sign_in(form: SignInForm, notice: str | None = None, target: str | None = None, kept: str = "") -> str:
    """Render the sign-in page, or in a public demo the page with the button that starts one.

    notice: why it is shown. target: the path to go to afterwards, by default the requested one.
    kept: a form that was kept.
    """
    if current_settings().is_public_demo:
        return render_template("demo_start.html", is_again=notice is not None, has_ended=_had_session(), bare=True)
    target = target or find_requested_path()
    kept = kept or find_kept_text()
    return render_template("sign_in.html", form=form, notice=notice, target=target, kept=kept, bare=True)


def _had_session() -> bool:
    """Return whether this browser was signed in, to a session that is over."""
    return "_user_id" in session


def lead_on() -> str | Response:
    """Lead a visitor who is signed in to a kept form of theirs, or else to the requested page."""
    text = find_kept_text()
    form = find_kept_form() if text else None
    return render_kept(form, text) if form else redirect(find_requested_path() or url_for("workspaces.home"))


def render_kept(form: KeptForm, text: str) -> str:
    """Render the page that goes on to a kept form. It submits nothing but what was kept. text: the form, encrypted."""
    return render_template("continue.html", path=form.path, kept=text, bare=True)


def find_kept_form() -> KeptForm | None:
    """Return the kept form in the request if it is one of the visitor, who is signed in."""
    return read_kept_form(find_kept_text(), account_key(current_account()), database_clock.now())


def find_kept_text() -> str:
    """Return the kept form in the request, encrypted, or an empty text."""
    return request.form.get(kept_forms.FIELD, "")[: kept_forms.MAX_LENGTH]


def find_requested_path() -> str | None:
    """Return the path to go to after the sign-in, as the request names it; None for the address of another site."""
    return read_own_path(request.args.get("next", ""))
