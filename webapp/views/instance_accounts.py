"""The instance admin's pages of accounts: list, disable, end sessions, Support everywhere."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.auth.external_identities import list_linked, unlink_account
from webapp.auth.instance_admins import LastInstanceAdmin, load_instance_admin
from webapp.auth.password_reset import make_reset_link
from webapp.auth.password_sign_in import are_passwords_allowed
from webapp.auth.session_lifetime import SESSION_LIFETIME
from webapp.auth.sign_in_methods import find_sign_in_methods
from webapp.database.numbered_pages import parse_page
from webapp.extensions import db
from webapp.instance.accounts import AccountFilter, list_accounts, load_account_details
from webapp.models import Account, database_clock
from webapp.text.ids import parse_id
from webapp.text.names import isolate_name
from webapp.text.search_text import read_search_text
from webapp.views.headers import PRIVATE_HEADERS
from webapp.views.instance_access import limit_changes, load_actor
from webapp.workspaces import account_disabling
from webapp.workspaces.support_everywhere import end_support_everywhere, grant_support_everywhere

bp = Blueprint("instance_accounts", __name__, url_prefix="/instance/accounts")

PageResponse = tuple[str, int] | Response

DISABLED = "This account is disabled, so no link can let it sign in. Enable it first."
OWN_ACCOUNT = "You cannot disable your own account. Ask another instance admin."
OWN_LINK = "You cannot end the link of your own account, with which you sign in. Ask another instance admin."
NOT_LINKED = "This account is not linked to anybody at a provider."
PASSWORDS_OFF = "Passwords are turned off (OIDC_ONLY), so a link for a new password would not work."


@bp.get("")
def show_all() -> str:
    """List the accounts, by address."""
    load_instance_admin()
    which = request.args.get("show", "")
    selected = AccountFilter(which) if which in list(AccountFilter) else AccountFilter.ALL
    text = read_search_text(request.args.get("q"))
    page = list_accounts(text, selected, parse_page(request.args.get("page")))
    methods = find_sign_in_methods([row.account.id for row in page.rows])
    return render_template("instance_accounts.html", page=page, text=text, selected=selected, methods=methods)


@bp.get("/<account_id>")
def show(account_id: str) -> str:
    """Show one account."""
    load_instance_admin()
    return _render(_load(account_id))


@bp.post("/<account_id>/disable")
@limit_changes
def disable(account_id: str) -> PageResponse:
    """Disable an account. Returns 409 for one's own, and for the last instance admin."""
    myself, by = load_actor()
    account = _load(account_id)
    if account.id == myself.id:
        return _render(account, OWN_ACCOUNT), 409
    try:
        left = account_disabling.set_active(account, False, database_clock.now(), by)
    except LastInstanceAdmin as reason:
        db.session.rollback()
        return _render(_load(account_id), str(reason)), 409
    names = ", ".join(isolate_name(workspace.name) for workspace in left)
    warning = f" No admin who can sign in is left in: {names}." if left else ""
    return _commit(account, f"{account.email} may no longer sign in, and was signed out everywhere.{warning}")


@bp.post("/<account_id>/enable")
@limit_changes
def enable(account_id: str) -> PageResponse:
    """Let an account sign in again."""
    _, by = load_actor()
    account = _load(account_id)
    if not account.is_active:
        account_disabling.set_active(account, True, database_clock.now(), by)
    return _commit(account, f"{account.email} may sign in.")


@bp.post("/<account_id>/end-sessions")
@limit_changes
def end_sessions(account_id: str) -> PageResponse:
    """End all sessions of an account."""
    _, by = load_actor()
    account = _load(account_id)
    account_disabling.set_active(account, account.is_active, database_clock.now(), by)
    return _commit(account, f"{account.email} was signed out everywhere.")


@bp.post("/<account_id>/reset-link")
@limit_changes
def make_link(account_id: str) -> PageResponse | tuple[str, int, dict[str, str]]:
    """Make a link for a new password and show it, once. Returns 409 if nobody could sign in by it."""
    _, by = load_actor()
    account = _load(account_id)
    if not are_passwords_allowed():
        return _render(account, PASSWORDS_OFF), 409
    if not account.is_active:
        return _render(account, DISABLED), 409
    token = make_reset_link(account, database_clock.now(), by)
    db.session.commit()
    origin = current_settings().links.public_url or request.host_url.rstrip("/")
    link = origin + url_for("password_reset.open_link", reset_token=token)
    return _render(account, link=link), 200, PRIVATE_HEADERS


@bp.post("/<account_id>/unlink")
@limit_changes
def unlink(account_id: str) -> PageResponse:
    """End the link to a person at the provider. Returns 409 for one's own, and for an account that has none."""
    myself, by = load_actor()
    account = _load(account_id)
    if account.id == myself.id:
        return _render(account, OWN_LINK), 409
    if not unlink_account(account, database_clock.now(), by):
        return _render(account, NOT_LINKED), 409
    return _commit(account, f"{account.email} is no longer linked to the provider, and was signed out everywhere.")


@bp.post("/<account_id>/support-everywhere")
@limit_changes
def set_support_everywhere(account_id: str) -> PageResponse:
    """Let an account support every workspace, or no longer."""
    _, by = load_actor()
    account, now = _load(account_id), database_clock.now()
    match request.form.get("value"):
        case "on":
            grant_support_everywhere(account, now, by)
            return _commit(account, f"{account.email} now supports every workspace.")
        case "off":
            end_support_everywhere(account, now, by)
            return _commit(account, f"{account.email} supports only the workspaces that have it as a member.")
    return abort(400)


def _load(account_id: str) -> Account:
    return db.session.get(Account, parse_id(account_id) or abort(404)) or abort(404)


def _commit(account: Account, sentence: str) -> Response:
    account_id = account.id
    db.session.commit()
    flash(sentence)
    return redirect(url_for(".show", account_id=account_id), 303)


def _render(account: Account, error: str | None = None, link: str | None = None) -> str:
    now = database_clock.now()
    details = load_account_details(account, now - SESSION_LIFETIME)
    methods = find_sign_in_methods([account.id])[account.id]
    is_linked = account.id in list_linked([account.id])
    inputs = {"details": details, "methods": methods, "is_linked": is_linked, "error": error, "link": link, "now": now}
    return render_template("instance_account.html", **inputs)
