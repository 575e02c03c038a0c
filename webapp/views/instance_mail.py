"""The instance admin's page about mail: what the DNS says about sender and recipients, and a mail to oneself."""

from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.account_mail.outcome import describe_mail, find_newest_mail
from webapp.account_mail.requesting import enqueue_mail, is_account_mail_available
from webapp.account_mail.steps import list_steps
from webapp.app_state import current_settings
from webapp.auth.instance_admins import load_instance_admin
from webapp.auth.trial_mail import request_check
from webapp.extensions import db, limiter
from webapp.instance.accounts import list_mail_domains
from webapp.mail_check.answers import Address
from webapp.mail_check.domains import DomainInvalid, read_domain
from webapp.mail_check.lookups import Lookups, find_name_servers
from webapp.mail_check.report import MAX_DOMAINS, Section, check_recipients, check_sender, find_sender_domain
from webapp.models import Account, AccountMailKind, database_clock
from webapp.views.instance_access import count_change

bp = Blueprint("instance_mail", __name__, url_prefix="/instance")

# How long the outcome of a mail check is shown: afterwards, it says nothing about today's mail server.
SHOWN_FOR = timedelta(hours=1)

# The value of the parameter `page` if the mail check is pressed on the page about mail.
MAIL_PAGE = "mail"

# What the form with this name of a button checks.
SENDER, RECIPIENT = "sender", "recipient"
FIELDS = ("sending", "recipient")
_NOT_AN_ADDRESS = "Enter one IP address, such as 198.51.100.7, or leave the field empty."


@bp.get("/mail")
def show() -> str:
    """Show the page. It asks nobody anything."""
    return _render(load_instance_admin(), dict.fromkeys(FIELDS, ""), {})


@bp.post("/mail")
@limiter.limit("30 per 15 minutes", key_func=count_change)
def check() -> tuple[str, int] | str:
    """Ask the DNS. Returns 400 with the form if something in it is wrong. Aborts with 404 in a demo."""
    account = load_instance_admin()
    if current_settings().demo is not None:
        abort(404)
    typed = {field: request.form.get(field, "").strip() for field in FIELDS}
    try:
        sections = _check_recipient(typed) if request.form.get("check") == RECIPIENT else _check_sender(typed)
    except _FieldInvalid as invalid:
        return _render(account, typed, {invalid.field: str(invalid)}), 400
    return _render(account, typed, {}, sections)


@bp.get("/mail-check")
def show_mail_check() -> str:
    """Return the fragment with the outcome of one's last mail check."""
    inputs = describe_check(load_instance_admin(), database_clock.now(), request.args.get("page"))
    return render_template("_mail_check.html", **inputs)


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
    endpoint = "instance_mail.show" if request.form.get("page") == MAIL_PAGE else "instance.show"
    return redirect(url_for(endpoint, _anchor="mail-check"), 303)


def describe_check(account: Account, now: datetime, page: str | None = None) -> dict[str, Any]:
    """Return the inputs of the fragment. outcome: of the last check, if it was lately. page: the one that it is on."""
    is_available = is_account_mail_available()
    mail = find_newest_mail(AccountMailKind.CHECK, account.id) if is_available else None
    mail = mail if mail is not None and now - mail.created_at < SHOWN_FOR else None
    return {
        "account": account,
        "is_mail_available": is_available,
        "outcome": describe_mail(mail, now) if mail is not None else None,
        "steps": list_steps(mail) if mail is not None else [],
        "mail_page": MAIL_PAGE if page == MAIL_PAGE else None,
        "now": now,
    }


class _FieldInvalid(ValueError):
    """A field cannot be used. The text is the sentence beside it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def _check_sender(typed: dict[str, str]) -> list[Section]:
    """Check the sender, and the domains of this installation's accounts. Aborts with 404 if mail is not set up."""
    server = current_settings().outbound.mail or abort(404)
    sending = _read_address(typed["sending"])
    domains = list_mail_domains(MAX_DOMAINS)
    db.session.rollback()  # gives back the connection while the name servers respond
    lookups = Lookups(find_name_servers())
    return [*check_sender(lookups, server, sending), *check_recipients(lookups, _read_domains(domains))]


def _check_recipient(typed: dict[str, str]) -> list[Section]:
    try:
        domain = read_domain(typed["recipient"])
    except DomainInvalid as invalid:
        raise _FieldInvalid("recipient", str(invalid)) from None
    db.session.rollback()
    return check_recipients(Lookups(find_name_servers()), [domain])


def _read_address(text: str) -> Address | None:
    try:
        if "%" in text:  # Python takes whatever follows for the name of a network interface
            raise ValueError
        return ip_address(text) if text else None
    except ValueError:
        raise _FieldInvalid("sending", _NOT_AN_ADDRESS) from None


def _read_domains(domains: list[str]) -> list[str]:
    """Return the domains that the DNS can have. An account may have any address that somebody typed for it."""
    found: list[str] = []
    for domain in domains:
        try:
            found.append(read_domain(domain))
        except DomainInvalid:
            continue
    return found


def _render(
    account: Account, typed: dict[str, str], errors: dict[str, str], sections: list[Section] | None = None
) -> str:
    settings = current_settings()
    server = settings.outbound.mail
    return render_template(
        "instance_mail.html",
        server=replace(server, username=None, password=None) if server else None,
        sender_domain=find_sender_domain(server) if server else None,
        is_demo=settings.demo is not None,
        typed=typed,
        errors=dict.fromkeys(FIELDS, "") | errors,
        sections=sections,
        **describe_check(account, database_clock.now(), MAIL_PAGE),
    )
