"""Who is asking: sessions begin and end here, and every view asks for one unless it says otherwise."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from webapp.auth import accounts
from webapp.extensions import db
from webapp.models import Account

View = TypeVar("View", bound=Callable[..., Any])

_PUBLIC: set[str] = set()


def public(view: View) -> View:
    """Mark a view that answers without a sign-in; every other one asks for it."""
    _PUBLIC.add(f"{view.__module__}.{view.__name__}")
    return view


def require_sign_in() -> Response | None:
    """Run before every request: send whoever is not signed in to the sign-in page (the whole page, if htmx asked)."""
    view = current_app.view_functions.get(request.endpoint or "")
    is_public = view is None or request.endpoint == "static" or f"{view.__module__}.{view.__name__}" in _PUBLIC
    if is_public or current_user.is_authenticated:
        return None
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": url_for("auth.show_sign_in", next=_current_page())})
    return redirect(url_for("auth.show_sign_in", next=request.full_path if request.method == "GET" else None))


def _current_page() -> str | None:
    """Name the page that a fragment stands on, as htmx tells it."""
    try:
        return urlsplit(request.headers.get("HX-Current-URL", "")).path or None
    except ValueError:
        return None


def find_visitor(sign_in_id: str) -> Account | None:
    """Find whose session a cookie speaks of."""
    return accounts.find_signed_in(sign_in_id, datetime.now(UTC))


def start_session(account: Account) -> None:
    """Sign an account in, in this browser."""
    if current_user.is_authenticated:
        accounts.end_sign_in(current_account())
    session.clear()  # what an earlier visitor of this browser had
    session.permanent = True
    accounts.sign_in(account, datetime.now(UTC))
    login_user(account)
    db.session.commit()


def end_session() -> None:
    """Sign the visitor out."""
    accounts.sign_out(current_account(), datetime.now(UTC))
    db.session.commit()
    logout_user()
    session.clear()


def current_account() -> Account:
    """Return the signed-in account. Every view but the public ones has one."""
    account: Account = current_user._get_current_object()
    return account
