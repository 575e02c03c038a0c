"""The commands for members of workspaces."""

import click

from webapp.audit import COMMAND_LINE, Action, record_account_event
from webapp.auth import accounts
from webapp.auth.email_address import InvalidEmail, read_new_email
from webapp.auth.password_strength import WeakPassword
from webapp.cli.arguments import get_account, get_workspace, prompt_password, read_name_argument, require_visible
from webapp.cli.tables import echo_table, format_day
from webapp.database.command_context import with_database
from webapp.extensions import db
from webapp.models import Account, Member, MemberSource, Role, Workspace, database_clock
from webapp.workspaces import installation_members, membership_changes, membership_rules, workspace_changes


@click.command("add-member")
@click.argument("slug", callback=require_visible)
@click.argument("email", callback=require_visible)
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option("--name", callback=read_name_argument, help="Name of a new account. Default: its email address.")
@with_database
def add_member(slug: str, email: str, role: str, name: str | None) -> None:
    """Add a member to a workspace, or change their role. Prompts for a password if the account is new."""
    workspace = get_workspace(slug)
    account = accounts.find_by_email(email)
    if account is not None:
        is_changed = _grant_role(workspace, account, Role(role))
    else:
        account, is_changed = _add_account(email, name, workspace, Role(role)), True
    db.session.commit()
    member = db.session.get_one(Member, (workspace.id, account.id))
    click.echo(f"{account.email} is {'now' if is_changed else 'already'} {member.role} of {workspace.name}.")


def _grant_role(workspace: Workspace, account: Account, role: Role) -> bool:
    try:
        return membership_changes.grant_role(workspace, account, role, database_clock.now(), COMMAND_LINE)
    except membership_rules.ChangeRefused as reason:
        raise click.ClickException(str(reason)) from None


def _add_account(email: str, name: str | None, workspace: Workspace, role: Role) -> Account:
    """Add an account that is a member of a workspace, so that its password cannot be the workspace's name."""
    try:
        email = read_new_email(email)
        password = prompt_password("Password of the new account")
        account = accounts.add_account(email, name or email, None, database_clock.now())
        record_account_event(account, Action.ACCOUNT_ADDED, database_clock.now(), COMMAND_LINE)
        membership_changes.grant_role(workspace, account, role, database_clock.now(), COMMAND_LINE)
        accounts.set_password(account, password)
    except (InvalidEmail, WeakPassword) as reason:
        raise click.ClickException(str(reason)) from None
    return account


@click.command("remove-member")
@click.argument("slug", callback=require_visible)
@click.argument("email", callback=require_visible)
@with_database
def remove_member(slug: str, email: str) -> None:
    """Remove a member from a workspace, unless they are its last admin. Their account stays."""
    account = get_account(email)
    workspace = workspace_changes.find_workspace(slug)
    member = db.session.get(Member, (workspace.id, account.id)) if workspace else None
    if member is None:
        raise click.ClickException(f"{account.email} is not a member of {slug}.")
    try:
        membership_changes.remove_member(member, database_clock.now(), COMMAND_LINE)
    except membership_rules.ChangeRefused as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    if account.is_support_everywhere:
        click.echo(f"{account.email} supports every workspace, and is now only support of {slug}.")
    else:
        click.echo(f"{account.email} is no longer a member of {slug}.")


@click.command("list-members")
@click.argument("slug", required=False, callback=require_visible)
@with_database
def list_members(slug: str | None) -> None:
    """List the members of a workspace, or of all workspaces: their roles, since when, and when they were last seen."""
    rows = [_describe(member) for member in installation_members.list_members(get_workspace(slug) if slug else None)]
    echo_table(("WORKSPACE", "ROLE", "EMAIL", "SINCE", "LAST SEEN", "NOTES", "NAME"), rows)


def _describe(member: Member) -> tuple[str, ...]:
    account = member.account
    notes = {
        "disabled": not account.is_active,
        "instance-admin": account.is_instance_admin,
        "by-groups": member.source is MemberSource.GROUPS,
        "everywhere": account.is_support_everywhere,
    }
    return (
        member.workspace.slug,
        member.role.value,
        account.email,
        format_day(member.created_at),
        format_day(account.last_seen_at),
        ",".join(note for note, is_true in notes.items() if is_true),
        account.name,
    )


COMMANDS = (add_member, remove_member, list_members)
