"""The commands for accounts."""

import click

from webapp.audit import COMMAND_LINE
from webapp.auth import (
    accounts,
    external_identities,
    instance_admins,
)
from webapp.auth.password_strength import WeakPassword
from webapp.cli.arguments import get_account, prompt_password, require_visible
from webapp.database.command_context import with_database
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import database_clock
from webapp.workspaces import account_disabling


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
        left = account_disabling.set_active(account, active, database_clock.now(), COMMAND_LINE)
    except instance_admins.LastInstanceAdmin as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"{account.email} may {'' if active else 'no longer '}sign in.")
    for workspace in left:
        command = f"{COMMAND} add-member {workspace.slug} EMAIL admin"
        click.echo(f"{workspace.name} now has no admin who can sign in. Add one with: {command}")


@click.command("make-instance-admin")
@click.argument("email", callback=require_visible)
@click.option("--revoke", is_flag=True, help="Take the rights away.")
@with_database
def make_instance_admin(email: str, revoke: bool) -> None:
    """Let an account administer the installation. It becomes a member of no workspace by that.

    The last instance admin who can sign in keeps the rights.
    """
    account, now = get_account(email), database_clock.now()
    try:
        if revoke:
            is_changed = instance_admins.revoke_instance_admin(account, now, COMMAND_LINE)
        else:
            is_changed = instance_admins.make_instance_admin(account, now, COMMAND_LINE)
    except instance_admins.LastInstanceAdmin as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    adverb = ("now" if is_changed else "already") if not revoke else ("no longer" if is_changed else "not")
    click.echo(f"{account.email} is {adverb} an instance admin.")


@click.command("unlink-account")
@click.argument("email", callback=require_visible)
@with_database
def unlink_account(email: str) -> None:
    """End the link of an account to a person at the provider, such as one who left, and its sessions."""
    account = get_account(email)
    if not external_identities.unlink_account(account, database_clock.now(), COMMAND_LINE):
        raise click.ClickException(f"{account.email} is not linked to anybody at a provider.")
    db.session.commit()
    click.echo(f"{account.email} is no longer linked to the provider, and was signed out everywhere.")


COMMANDS = (set_password, set_active, make_instance_admin, unlink_account)
