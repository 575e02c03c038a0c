"""The page of one's own account: name, address, password and sessions."""

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from webapp.account_mail.outcome import MailOutcome, describe_mail, find_newest_mail
from webapp.account_mail.requesting import enqueue_mail
from webapp.auth import address_confirmation, own_sessions
from webapp.auth.account_links import LIFETIMES
from webapp.auth.sessions import current_account, end_session
from webapp.extensions import db, limiter
from webapp.models import AccountLinkKind, AccountMailKind, database_clock
from webapp.views.headers import PRIVATE_HEADERS

bp = Blueprint("account", __name__, url_prefix="/account")

# Where the session keeps the token of the link that was opened, so that it leaves the address bar.
_TOKEN = "confirmation_token"  # noqa: S105 - a name

PageResponse = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response


def _limit_key() -> str:
    return f"account {current_account().id}"


@bp.get("")
def show() -> str:
    """Show the account."""
    account, now = current_account(), database_clock.now()
    sessions = own_sessions.list_sessions(account, now)
    return render_template("account.html", sessions=sessions, **_describe_address(now))


@bp.get("/address")
def show_address() -> str:
    """Return the fragment with the address and its state."""
    return render_template("_account_address.html", **_describe_address(database_clock.now()))


@bp.post("/confirmation")
@limiter.limit("5 per 15 minutes", key_func=_limit_key)
def request_confirmation() -> PageResponse:
    """Have a link mailed to one's own address."""
    account, now = current_account(), database_clock.now()
    if not address_confirmation.can_be_confirmed(account):
        return redirect(url_for("account.show"), 303)
    mail_id = address_confirmation.request_confirmation(account, now).id
    db.session.commit()
    enqueue_mail(mail_id)
    return redirect(url_for("account.show"), 303)


@bp.get("/confirm/<account_token>")
def open_confirmation(account_token: str) -> PageResponse:
    """Open a mailed link. Changes nothing but this browser's cookie: programs that check mail open links too."""
    if address_confirmation.find_confirmation(current_account(), account_token, database_clock.now()) is None:
        return _render_ended()
    session[_TOKEN] = account_token
    response = redirect(url_for("account.show_confirmation"), 303)
    response.headers.update(PRIVATE_HEADERS)
    return response


@bp.get("/confirm")
def show_confirmation() -> PageResponse:
    """Show what the link confirms."""
    token = session.get(_TOKEN, "")
    if address_confirmation.find_confirmation(current_account(), token, database_clock.now()) is None:
        return _render_ended()
    return render_template("account_confirm.html")


@bp.post("/confirm")
@limiter.limit("30 per 15 minutes", key_func=_limit_key)
def confirm() -> PageResponse:
    """Confirm the address."""
    token = session.pop(_TOKEN, "")
    if not address_confirmation.confirm_address(current_account(), token, database_clock.now()):
        db.session.rollback()
        return _render_ended()
    db.session.commit()
    flash("Your email address is confirmed.")
    return redirect(url_for("account.show"), 303)


@bp.post("/sessions/<session_key>/end")
@limiter.limit("60 per minute", key_func=_limit_key)
def end_one(session_key: str) -> PageResponse:
    """End one of the account's sessions; this one as a sign-out does."""
    account, now = current_account(), database_clock.now()
    own = own_sessions.find_session(account, session_key, now) or abort(404)
    if own.is_this:
        end_session()
        flash("You are signed out.")
        return redirect(url_for("sign_in.show_sign_in"), 303)
    own_sessions.end_session_of(account, own, now)
    db.session.commit()
    flash("The session has ended.")
    return redirect(url_for("account.show"), 303)


@bp.post("/sessions/end-others")
@limiter.limit("60 per minute", key_func=_limit_key)
def end_others() -> PageResponse:
    """End all of the account's sessions but this one."""
    ended = own_sessions.end_other_sessions(current_account(), database_clock.now())
    db.session.commit()
    flash(
        f"{ended} other session{' has' if ended == 1 else 's have'} ended." if ended else "There was no other session."
    )
    return redirect(url_for("account.show"), 303)


def _describe_address(now: datetime) -> dict[str, Any]:
    """Return the inputs of the fragment. The outcome of a mail is shown as long as its link could work."""
    account = current_account()
    is_open = address_confirmation.can_be_confirmed(account)
    mail = find_newest_mail(AccountMailKind.CONFIRMATION, account.id) if is_open else None
    outcome: MailOutcome | None = None
    if mail is not None and now - mail.created_at < LIFETIMES[AccountLinkKind.CONFIRMATION]:
        outcome = describe_mail(mail, now)
    return {"account": account, "can_be_confirmed": is_open, "outcome": outcome, "now": now}


def _render_ended() -> PageResponse:
    return render_template("account_link_ended.html", is_reset=False), 404, PRIVATE_HEADERS
