"""Reads what is typed after a command: names, addresses, slugs and passwords."""

import click

from webapp.auth import accounts
from webapp.auth.password_sign_in import are_passwords_allowed
from webapp.environment.installed_program import COMMAND
from webapp.models import Account, Workspace
from webapp.text.names import NameInvalid, has_invisible, read_name
from webapp.workspaces import workspace_changes


def read_name_argument(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Clean the name of a workspace or an account."""
    try:
        return None if text is None else read_name(text)
    except NameInvalid as reason:
        raise click.BadParameter(str(reason)) from None


def require_visible(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Refuse an email address or a slug with invisible characters. It is not cleaned: it has to be what was typed."""
    if text is not None and has_invisible(text):
        raise click.BadParameter("It contains an invisible character. Type it again.")
    return text


def prompt_password(title: str) -> str:
    """Ask twice for a password, unless nobody may sign in by one."""
    if not are_passwords_allowed():
        raise click.ClickException(
            "OIDC_ONLY turns passwords off. Invite people, or name their groups in OIDC_ROLES; or turn OIDC_ONLY off."
        )
    password: str = click.prompt(title, hide_input=True, confirmation_prompt=True)
    return password


def get_account(email: str) -> Account:
    account = accounts.find_by_email(email)
    if account is None:
        raise click.ClickException(f"No account {email} exists.")
    return account


def get_workspace(slug: str) -> Workspace:
    workspace = workspace_changes.find_workspace(slug)
    if workspace is None:
        raise click.ClickException(f"No workspace {slug} exists. Add it with: {COMMAND} add-workspace {slug} NAME")
    return workspace
