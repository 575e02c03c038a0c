"""Views for the sign-in with an account at a provider: the way there, and back."""

from importlib import import_module
from logging import getLogger

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from webapp.auth.password_forms import SignInForm
from webapp.auth.password_sign_in import are_passwords_allowed
from webapp.auth.sessions import public, start_session
from webapp.auth.set_up_links import LinkEnded, SetUpLink
from webapp.extensions import db, limiter
from webapp.models import database_clock
from webapp.single_sign_on.admission import admit
from webapp.single_sign_on.attempts import begin_attempt, take_attempt
from webapp.single_sign_on.provider import Provider, find_provider
from webapp.single_sign_on.refusals import Refusal, SignOnRefused, explain
from webapp.views.set_up import ADMITTED, find_opened, render_ended
from webapp.views.sign_in_page import find_requested_path, lead_on, render_sign_in

log = getLogger(__name__)

# Imported by name, because they need libraries that an installation without a provider never uses.
_ROUND_TRIP, _SIGN_OUT = "webapp.single_sign_on.round_trip", "webapp.single_sign_on.sign_out"

# In the session's cookie: whether the provider signed the visitor in.
_BY_PROVIDER = "by_provider"

WELCOME = "You are an instance admin. Add the first workspace."
NO_SIGN_OUT_THERE = "You are signed out of Alertcheck. You may still be signed in with {name}: close your browser too."

bp = Blueprint("single_sign_on", __name__, url_prefix="/sign-in")

PageResponse = str | tuple[str, int] | Response


@bp.get("/provider")
@public
@limiter.limit("30 per minute")
def begin() -> PageResponse:
    """Send the browser to the provider. Visitors who are signed in go on to the requested page.

    It is a link and not a form: browsers would check the provider's address against the rule for our forms.
    """
    provider, path = _load_provider(), find_requested_path()
    if current_user.is_authenticated and not (_is_set_up(path) and find_opened()):
        return lead_on()
    attempt = begin_attempt(path, database_clock.now())
    db.session.rollback()  # gives back the connection while the provider responds
    try:
        return redirect(import_module(_ROUND_TRIP).find_authorization_url(provider, attempt))
    except SignOnRefused as refused:
        return _refuse(refused.refusal, path)


@bp.get("/callback")
@public
@limiter.limit("30 per minute")
def finish() -> PageResponse:
    """Sign in whom the provider sends back, if this browser has begun it, and lead on to the requested page."""
    provider, now = _load_provider(), database_clock.now()
    response = _read_response()
    attempt = take_attempt(response.get("state", ""), now)
    if attempt is None:
        is_repeated = current_user.is_authenticated  # such as by the button "Back"
        return redirect(url_for("workspaces.home")) if is_repeated else _refuse(Refusal.NOT_STARTED_HERE, None)
    is_set_up = _is_set_up(attempt.next_path)
    link = find_opened() if is_set_up else None
    if is_set_up and link is None:
        return render_ended()
    db.session.rollback()
    try:
        person = import_module(_ROUND_TRIP).identify_person(provider, attempt, response, now)
        account = admit(person, provider.settings, attempt.next_path, now, link)
    except SignOnRefused as refused:
        db.session.rollback()
        return _refuse(refused.refusal, attempt.next_path)
    except LinkEnded:
        db.session.rollback()
        return render_ended()
    start_session(account, is_instance_admin=link is not None and not link.is_first)
    session[_BY_PROVIDER] = True
    return _lead_from_set_up(link) if link else redirect(attempt.next_path or url_for("workspaces.home"))


def _is_set_up(path: str | None) -> bool:
    """Return whether somebody signs in to use the set-up link that they have opened."""
    return path is not None and path.partition("?")[0] == url_for("set_up.show")


def _lead_from_set_up(link: SetUpLink) -> Response:
    flash(WELCOME if link.is_first else ADMITTED)
    return redirect(url_for("instance_workspaces.show_form" if link.is_first else "workspaces.home"))


def is_signed_in_by_provider() -> bool:
    """Return whether the provider signed the visitor in, so that they sign out there too."""
    return _BY_PROVIDER in session


def find_sign_out_page() -> str | None:
    """Return the page that leads to the provider's sign-out; None if it has none, or does not respond."""
    provider = find_provider()
    url = import_module(_SIGN_OUT).find_sign_out_url(provider) if provider else None
    if provider is None or url is None:
        return None
    return render_template("signed_out.html", url=url, name=provider.settings.name, bare=True)


def describe_missing_sign_out() -> str:
    """Return the sentence for whoever stays signed in at the provider."""
    provider = find_provider()
    return NO_SIGN_OUT_THERE.format(name=provider.settings.name if provider else "the provider")


def _load_provider() -> Provider:
    return find_provider() or abort(404)


def _read_response() -> dict[str, str]:
    """Return the parameters of the request. One that is there twice is ambiguous (RFC 6749, section 3.1)."""
    return {name: values[0] if len(values) == 1 else "" for name, values in request.args.lists()}


def _refuse(refusal: Refusal, path: str | None) -> tuple[str, int]:
    """Render the sign-in page with the reason. path: where the visitor wanted to go."""
    log.warning("sign-in by provider refused", extra={"reason": refusal.value})
    sentences, status = explain(refusal, are_passwords_allowed=are_passwords_allowed())
    return render_sign_in(SignInForm(), sentences, path), status
