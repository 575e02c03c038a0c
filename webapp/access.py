"""Who is asking, and what they may load. What a stranger asks for does not exist for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from webapp import accounts
from webapp.columns import LARGEST_ID
from webapp.extensions import db
from webapp.models import Account, AlertDestination, Member, Role, Workspace


@dataclass(frozen=True)
class Visit:
    """A signed-in account in one of its workspaces."""

    account: Account
    workspace: Workspace
    role: Role


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
    """Return the signed-in account. Views that call this are behind `login_required`."""
    account: Account = current_user._get_current_object()
    return account


def list_memberships(account: Account) -> list[Member]:
    """Fetch the account's workspaces, by name."""
    query = select(Member).where(Member.account_id == account.id).options(joinedload(Member.workspace))
    return list(db.session.scalars(query.join(Member.workspace).order_by(Workspace.name, Workspace.id)))


def load_visit(slug: str) -> Visit:
    """Load a workspace for the signed-in account, or answer 404: unknown and foreign alike."""
    if not slug.isprintable():  # PostgreSQL cannot even look for NUL
        abort(404)
    account = current_account()
    query = select(Member).join(Member.workspace).where(Workspace.slug == slug, Member.account_id == account.id)
    member = db.session.scalars(query.options(joinedload(Member.workspace))).one_or_none()
    if member is None:
        abort(404)
    return Visit(account, member.workspace, member.role)


def load_visit_to_edit(slug: str) -> Visit:
    """Load a workspace that the signed-in account may edit, or answer 404 (no member) or 403 (not an admin)."""
    visit = load_visit(slug)
    if not visit.role.may_edit:
        abort(403)
    return visit


def load_destination(visit: Visit, destination_id: str) -> AlertDestination:
    """Load a destination of the visited workspace, or answer 404: unknown, foreign, deleted and garbage alike."""
    is_number = destination_id.isascii() and destination_id.isdigit() and len(destination_id) < 20
    number = int(destination_id) if is_number else 0
    query = select(AlertDestination).where(
        AlertDestination.id == min(number, LARGEST_ID),
        AlertDestination.workspace_id == visit.workspace.id,
        AlertDestination.deleted_at.is_(None),
    )
    destination = db.session.scalars(query).one_or_none()
    if destination is None:
        abort(404)
    return destination
