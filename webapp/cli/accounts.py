"""The commands for accounts."""

import click

from webapp.audit import COMMAND_LINE
from webapp.auth import accounts, members
from webapp.auth.instance_admins import LastInstanceAdmin
from webapp.auth.password_strength import WeakPassword
from webapp.cli.arguments import get_account, prompt_password, require_visible
from webapp.database.command_context import with_database
from webapp.environment.installation import COMMAND
from webapp.extensions import db
from webapp.models import database_clock


@click.command("set-password")
@click.argument("email", callback=require_visible)
@with_database
def set_password(email: str) -> None:
    """Set a new password for an account and end its sessions."""
    account = get_account(email)
    password = prompt_password("New password")
    try:
        accounts.change_password(account, password, database_clock.now(), COMMAND_LINE)
    except WeakPassword as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"{account.email} has a new password and was signed out everywhere.")


@click.command("set-active")
@click.argument("email", callback=require_visible)
@click.argument("active", type=bool)
@with_database
def set_active(email: str, active: bool) -> None:
    """Allow an account to sign in (true) or not (false). Both end its sessions immediately.

    It names the workspaces that are left without an admin.
    """
    account = get_account(email)
    try:
        left = members.set_active(account, active, database_clock.now(), COMMAND_LINE)
    except LastInstanceAdmin as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"{account.email} may {'' if active else 'no longer '}sign in.")
    for workspace in left:
        command = f"{COMMAND} add-member {workspace.slug} EMAIL admin"
        click.echo(f"{workspace.name} now has no admin who can sign in. Add one with: {command}")


COMMANDS = (set_password, set_active)
