"""The session of a request: starts and ends it in the cookie, and requires it of every view that is not `public`."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.app_state import app_state, current_settings
from webapp.auth import own_sessions, session_lifetime
from webapp.auth.form_refusals import FormRefusal, FormRefused
from webapp.auth.form_tokens import renew_token
from webapp.auth.own_paths import find_path
from webapp.auth.session_origin import read_origin
from webapp.auth.session_rows import DestinationFacts, UrlRows, forget_url_rows
from webapp.extensions import db
from webapp.models import Account, database_clock
from webapp.settings import VISIT_TIME
from webapp.text.ids import parse_id

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[str] = set()
_FACTS: dict[str, DestinationFacts] = {}


def public(view: View) -> View:
    """Mark a view as accessible without a sign-in."""
    _PUBLIC.add(_name(view))
    return view


def shows(facts: DestinationFacts) -> Callable[[View], View]:
    """Load what a view shows of the destination that its URL names together with the session."""

    def remember(view: View) -> View:
        _FACTS[_name(view)] = facts
        return view

    return remember


def require_sign_in() -> Response | None:
    """Redirect visitors who are not signed in to the sign-in page. Runs before every request.

    Raises `FormRefused` for a form. For an htmx request, the whole page goes there, not the fragment.
    """
    if is_public() or current_user.is_authenticated:
        return None
    if request.method == "POST":
        raise FormRefused(FormRefusal.SIGNED_OUT)
    if request.headers.get("HX-Request"):
        return redirect_page_to_sign_in()
    return redirect(_find_sign_in(request.full_path if request.method == "GET" else None))


def require_sign_in_again() -> Response | None:
    """Load the visitor and what the URL names anew, because the request has waited. Returns as `require_sign_in`."""
    g.pop("_login_user", None)  # where Flask-Login keeps it
    return require_sign_in()


def is_public() -> bool:
    """Check whether the requested view is accessible without a sign-in."""
    view = current_app.view_functions.get(request.endpoint or "")
    return view is None or request.endpoint == "static" or _name(view) in _PUBLIC


def redirect_page_to_sign_in() -> Response:
    """Send the page that contains the requested fragment to the sign-in page, and back afterwards."""
    page = find_path(request.headers.get("HX-Current-URL", ""))
    return Response(status=401, headers={"HX-Redirect": _find_sign_in(page)})


def _find_sign_in(page: str | None) -> str:
    """Return the address of the sign-in page, which leads on to another page. In a public demo, none is left then."""
    return url_for("sign_in.show_sign_in", next=None if current_settings().is_public_demo else page)


def find_session_account(sign_in_id: str) -> Account | None:
    """Return the account of the session id in a cookie, or None. Loads what the URL names with it."""
    lifetime = VISIT_TIME if current_settings().is_public_demo else session_lifetime.SESSION_LIFETIME
    return session_lifetime.find_signed_in(sign_in_id, database_clock.now(), lifetime, _read_url())


def _read_url() -> UrlRows | None:
    """Return what the URL of a page below `/w/` names; None for any other page."""
    values = request.view_args or {}
    slug = values.get("slug", "")
    if not (slug and slug.isprintable()):  # PostgreSQL rejects NUL in a query parameter
        return None
    return UrlRows(slug, parse_id(values.get("destination_id")), _find_facts())


def _find_facts() -> DestinationFacts | None:
    view = current_app.view_functions.get(request.endpoint or "")
    return None if view is None else _FACTS.get(_name(view))


def _name(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{view.__name__}"


def start_session(account: Account, *, is_instance_admin: bool = False) -> None:
    """Begin an account's session in this browser, and commit. is_instance_admin: as for `session_lifetime.sign_in`."""
    if current_user.is_authenticated:
        session_lifetime.end_sign_in(current_account())
    session.clear()  # removes data of an earlier visitor of this browser
    session.permanent = True
    now, origin = database_clock.now(), read_origin(request.headers.get("User-Agent", ""), request.remote_addr)
    session_lifetime.sign_in(account, now, origin, is_instance_admin=is_instance_admin)
    own_sessions.note_account_seen(account.id, now)
    login_user(account)
    renew_token(account)
    db.session.commit()


def note_visit() -> None:
    """Note now and then that the visitor's session is in use, and let its cookie last as long as before.

    Runs before every request, after `require_sign_in`.
    """
    if is_public() or not current_user.is_authenticated:
        return
    state, account, now = app_state(), current_account(), database_clock.now()
    if not own_sessions.is_note_due(account, now):
        return
    session.modified = True  # sends the cookie, with a new time at which the browser deletes it
    if time.monotonic() < state.seen_paused_until:
        return
    forget_url_rows()  # noting it ends the transaction
    if not own_sessions.note_seen(account, now):
        state.seen_paused_until = time.monotonic() + own_sessions.PAUSE


def end_session() -> None:
    """Sign the visitor out, and commit."""
    session_lifetime.sign_out(current_account(), database_clock.now())
    db.session.commit()
    logout_user()
    session.clear()


def current_account() -> Account:
    """Return the signed-in account. Only for views that are not public."""
    account: Account = current_user._get_current_object()
    return account
