"""Responds to a refused form: why, what to do, and what becomes of what was typed."""

import logging

from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.form_origin import find_origin
from webapp.auth.form_protection import find_origin_problem
from webapp.auth.form_refusals import FormRefusal, FormRefused
from webapp.auth.form_tokens import read_token
from webapp.auth.kept_forms import KeptForm, keep_form, read_kept_form
from webapp.auth.own_paths import find_path, read_own_path
from webapp.auth.password_forms import SignInForm
from webapp.auth.sessions import redirect_page_to_sign_in
from webapp.destinations.forms import list_shown_fields
from webapp.models import database_clock
from webapp.views.refused_form_texts import NOTICES, TEXTS, FormNotice
from webapp.views.sign_in_page import find_kept_text, lead_on, render_kept, render_sign_in

log = logging.getLogger(__name__)

PageResponse = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response

SIGN_IN_FORMS = {"sign_in.sign_in", "demo_sign_in.sign_in", "public_demo.start"}

# The forms that people type into, secrets aside.
TYPED_FORMS = {"destination_forms.add", "destination_forms.edit"}

# The causes that end when the page is loaded again.
ENDED_BY_RELOAD = {
    FormRefusal.SIGNED_IN_MEANWHILE,
    FormRefusal.OTHER_ACCOUNT,
    FormRefusal.TOKEN_MISSING,
    FormRefusal.TOO_OLD,
}

# What a person reads who is still typing, if the form itself can be pressed.
CHECKS = {
    FormRefusal.SIGNED_OUT: FormNotice.CHECK_SIGNED_OUT,
    FormRefusal.SIGNED_IN_MEANWHILE: FormNotice.CHECK_SIGNED_IN,
}

ALREADY_SIGNED_IN = Markup(
    "You were already signed in as <bdi>{}</bdi>, in another tab. To sign in as someone else, sign out first."
)


def init_refused_forms(app: Flask) -> None:
    """Register the handler."""
    app.register_error_handler(FormRefused, _handle_refused_form)


def _handle_refused_form(refused: FormRefused) -> PageResponse:
    cause = refused.cause
    facts = {"cause": cause.value, "rule": request.url_rule}
    if TEXTS[cause].for_admin:
        log.warning("form refused", extra=facts)
    else:
        log.info("form refused", extra=facts)
    if request.headers.get("HX-Request"):
        return _respond_to_fragment(cause)
    if cause is FormRefusal.SIGNED_OUT:
        return _ask_to_sign_in()
    if request.endpoint in SIGN_IN_FORMS:
        return _respond_to_sign_in(cause)
    kept = _keep_typed() if cause is FormRefusal.SIGNED_IN_MEANWHILE else None
    return render_kept(*kept) if kept else _render(cause)


def _respond_to_fragment(cause: FormRefusal) -> PageResponse:
    """Respond to a form that htmx sent. Without a header for htmx, its page stays and shows the reason above."""
    if request.blueprint == "field_checks":  # the visitor is typing
        return _render(cause, NOTICES[CHECKS[cause]] if cause in CHECKS else None)
    if cause is FormRefusal.SIGNED_OUT:
        _flash_for_members(FormNotice.PRESS_AGAIN)
        return redirect_page_to_sign_in()
    if cause not in ENDED_BY_RELOAD:
        return _render(cause)
    page, status = _render(cause)
    flash(TEXTS[cause].advice)  # after the page, which nobody sees and which would show it
    return page, status, {"HX-Refresh": "true"}


def _ask_to_sign_in() -> PageResponse:
    """Show the sign-in page, with what was typed if it could be kept."""
    kept = _keep_typed()
    if kept:
        form, text = kept
        page = render_sign_in(SignInForm(MultiDict()), NOTICES[FormNotice.KEPT], target=form.path, kept=text)
        return page, 401
    _flash_for_members(FormNotice.NOT_KEPT if _was_typed() else FormNotice.PRESS_AGAIN)
    return redirect(url_for("sign_in.show_sign_in", next=_find_page() if _is_from_member() else None))


def _respond_to_sign_in(cause: FormRefusal) -> PageResponse:
    """Respond to a refused sign-in: go on if the visitor is signed in, else show the form again where that can help."""
    if cause is FormRefusal.SIGNED_IN_MEANWHILE:
        flash(ALREADY_SIGNED_IN.format(current_user.name))
        return lead_on()
    if cause not in ENDED_BY_RELOAD or current_user.is_authenticated:
        return _render(cause)
    typed = {"email": request.form.get("email", "")} if find_origin_problem() is None else {}
    return render_sign_in(SignInForm(MultiDict(typed)), NOTICES[FormNotice.SIGN_IN_AGAIN]), 400


def _render(cause: FormRefusal, advice: str | None = None) -> tuple[str, int]:
    text = TEXTS[cause]
    page = render_template(
        "refused_form.html",
        title=text.title,
        advice=advice or text.advice,
        for_admin=text.for_admin.format(cookie=current_app.config["SESSION_COOKIE_NAME"]),
        again=_find_page() or url_for("workspaces.home"),
        bare=True,
    )
    return page, 400


def _keep_typed() -> tuple[KeptForm, str] | None:
    """Return what was typed, secrets aside, as it is and encrypted, if it came from our own page made for an account.

    A form that was kept before and is on its way back is kept as it is.
    """
    token = read_token()
    if token is None or token.account_key is None or find_origin_problem() is not None:
        return None
    if current_settings().is_public_demo:  # the account is gone, and nobody can sign in to it again
        return None
    now, text = database_clock.estimate(), find_kept_text()
    if text:
        earlier = read_kept_form(text, token.account_key, now)
        return (earlier, text) if earlier else None
    if not _was_typed():
        return None
    typed = {name: request.form[name] for name in list_shown_fields() if name in request.form}
    form = KeptForm(request.path, typed)
    text = keep_form(form, token.account_key, now) or ""
    return (form, text) if text else None


def _was_typed() -> bool:
    return request.endpoint in TYPED_FORMS and any(map(request.form.get, list_shown_fields()))


def _is_from_member() -> bool:
    """Check whether the page was made for somebody who was signed in, and not for a stranger."""
    token = read_token()
    return token is not None and token.account_key is not None


def _flash_for_members(notice: FormNotice) -> None:
    if _is_from_member() and not current_settings().is_public_demo:  # its start page says what happened
        flash(NOTICES[notice])


def _find_page() -> str | None:
    """Return the path of the page that the form is on: the same one, or the one that the browser names."""
    if request.endpoint in SIGN_IN_FORMS:
        return url_for("sign_in.show_sign_in")
    adapter = current_app.create_url_adapter(request)
    if adapter and "GET" in adapter.allowed_methods():
        return read_own_path(request.path)
    if find_origin_problem() is not None or find_origin(request.headers) is None:
        return None
    return find_path(request.headers.get("Referer", ""))
