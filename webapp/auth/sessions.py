"""Starts and ends sessions. Every view requires one unless it is marked `public`."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.auth import accounts
from webapp.extensions import db
from webapp.models import Account, database_clock

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[str] = set()


def public(view: View) -> View:
    """Mark a view as accessible without a sign-in."""
    _PUBLIC.add(f"{view.__module__}.{view.__name__}")
    return view


def require_sign_in() -> Response | None:
    """Redirect visitors who are not signed in to the sign-in page. Runs before every request.

    For an htmx request, the whole page goes there, not the fragment.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    is_public = view is None or request.endpoint == "static" or f"{view.__module__}.{view.__name__}" in _PUBLIC
    if is_public or current_user.is_authenticated:
        return None
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("auth.show_sign_in", next=_current_page())})
    return redirect(url_for("auth.show_sign_in", next=request.full_path if request.method == "GET" else None))


def _current_page() -> str | None:
    """Return the path of the page that contains the fragment, from htmx's request header."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "")).path or None
    except ValueError:
        return None


def find_session_account(sign_in_id: str) -> Account | None:
    """Return the account of the session id in a cookie, or None."""
    return accounts.find_signed_in(sign_in_id, database_clock.now())


def start_session(account: Account) -> None:
    """Sign an account in on this browser, and commit."""
    if current_user.is_authenticated:
        accounts.end_sign_in(current_account())
    session.clear()  # removes data of an earlier visitor of this browser
    session.permanent = True
    accounts.sign_in(account, database_clock.now())
    login_user(account)
    db.session.commit()


def end_session() -> None:
    """Sign the visitor out, and commit."""
    accounts.sign_out(current_account(), database_clock.now())
    db.session.commit()
    logout_user()
    session.clear()


def current_account() -> Account:
    """Return the signed-in account. Only for views that are not public."""
    account: Account = current_user._get_current_object()
    return account
