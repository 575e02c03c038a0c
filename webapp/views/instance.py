"""The page of the installation: what works, what does not, and what to do."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.account_mail.outcome import describe_mail, find_newest_mail
from webapp.account_mail.requesting import enqueue_mail, is_account_mail_available
from webapp.auth.instance_admins import load_instance_admin
from webapp.auth.mail_check import request_check
from webapp.extensions import db, limiter
from webapp.instance.installation import describe_installation
from webapp.models import Account, AccountMailKind, database_clock
from webapp.views.health import check_parts
from webapp.views.instance_access import count_change

bp = Blueprint("instance", __name__, url_prefix="/instance")

# How long the outcome of a mail check is shown: afterwards, it says nothing about today's mail server.
SHOWN_FOR = timedelta(hours=1)


@bp.get("")
def show() -> str:
    """Show the state of the installation."""
    account, now = load_instance_admin(), database_clock.now()
    installation = describe_installation(check_parts(), now)
    return render_template("instance.html", installation=installation, **_describe_check(account, now))


@bp.get("/mail-check")
def show_mail_check() -> str:
    """Return the fragment with the outcome of one's last mail check."""
    return render_template("_mail_check.html", **_describe_check(load_instance_admin(), database_clock.now()))


@bp.post("/mail-check")
@limiter.limit("10 per 15 minutes", key_func=count_change)
def check_mail() -> Response:
    """Have a mail sent to one's own address. Aborts with 404 where mail is not set up."""
    account = load_instance_admin()
    if not is_account_mail_available():
        abort(404)
    mail_id = request_check(account, database_clock.now()).id
    db.session.commit()
    enqueue_mail(mail_id)
    return redirect(url_for("instance.show", _anchor="mail-check"), 303)


def _describe_check(account: Account, now: datetime) -> dict[str, Any]:
    """Return the inputs of the fragment. outcome: of the last check, if it was lately."""
    is_available = is_account_mail_available()
    mail = find_newest_mail(AccountMailKind.CHECK, account.id) if is_available else None
    outcome = describe_mail(mail, now) if mail is not None and now - mail.created_at < SHOWN_FOR else None
    return {"account": account, "is_mail_available": is_available, "outcome": outcome, "now": now}
