"""The commands: the worker, the checks, and the administration of workspaces, accounts and keys."""

from importlib import import_module
from typing import cast

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from webapp import __version__, queue
from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE
from webapp.auth import accounts, members, workspaces
from webapp.auth.email_address import InvalidEmail, read_new_email
from webapp.auth.instance_admins import LastInstanceAdmin
from webapp.auth.password_strength import WeakPassword
from webapp.database.command_context import with_database
from webapp.destinations import editing
from webapp.environment.installation import COMMAND
from webapp.environment.model import Misconfigured
from webapp.extensions import db
from webapp.models import Account, Member, Role, Workspace, database_clock
from webapp.settings_check import checks
from webapp.settings_check.finding import State
from webapp.text.names import NameInvalid, has_invisible, read_name

# Imported only by its command: a web process has the commands too, but does not need the worker's code.
WORKER = "webapp.worker.supervisor"


def _read_name(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Clean the name of a workspace or an account."""
    try:
        return None if text is None else read_name(text)
    except NameInvalid as reason:
        raise click.BadParameter(str(reason)) from None


def _require_visible(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Refuse an email address or a slug with invisible characters. It is not cleaned: it has to be what was typed."""
    if has_invisible(text):
        raise click.BadParameter("It contains an invisible character. Type it again.")
    return text


@click.command("version")
def version() -> None:
    """Print the version."""
    click.echo(__version__)


@click.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="One per CPU core.")
@with_appcontext
def worker(processes: int) -> None:
    """Run a worker that sends deliveries until it is stopped (SIGTERM or Ctrl-C)."""
    try:
        import_module(WORKER).run_worker(cast(Flask, current_app._get_current_object()), processes)  # type: ignore[attr-defined]
    except Misconfigured as reason:
        raise click.ClickException(str(reason)) from None


@click.command("check-worker")
@with_appcontext
def check_worker() -> None:
    """Check whether a worker does its work: exit with 0, or with 1 and the reason."""
    try:
        is_alive, fault = queue.is_worker_alive(), queue.find_fault()
        problem = None if is_alive else queue.find_problem()
    except queue.QueueUnavailable as unavailable:
        problem = queue.find_problem() or unavailable.problem
    if problem:
        raise click.ClickException(f"No heartbeat of a worker can be read or written. {problem.sentence}")
    if not is_alive and fault:
        raise click.ClickException(f"No recent heartbeat: {fault}.")
    if not is_alive:
        raise click.ClickException(queue.NO_WORKER)
    click.echo("A worker is alive.")


@click.command("check-settings")
@with_appcontext
def check_settings() -> None:
    """Try all that the settings name, one line each: exit with 0, or with 1 if something cannot work. Sends nothing."""
    has_problem = False
    for finding in checks.check_settings(current_app._get_current_object()):  # type: ignore[attr-defined]
        click.echo(f"{finding.state:<8} {finding.part}: {finding.text}")
        has_problem = has_problem or finding.state is State.PROBLEM
    if has_problem:
        raise click.exceptions.Exit(1)


@click.command("add-workspace")
@click.argument("slug")
@click.argument("name", callback=_read_name)
@with_database
def add_workspace(slug: str, name: str) -> None:
    """Add a workspace, for example: alertcheck add-workspace harbor "Harbor Logistics"."""
    try:
        workspaces.open_workspace(slug, name, database_clock.now(), COMMAND_LINE)
    except (workspaces.InvalidSlug, workspaces.SlugUsed) as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"Added. Its page is /w/{slug}. Add its first admin with: {COMMAND} add-member {slug} EMAIL admin")


@click.command("add-member")
@click.argument("slug", callback=_require_visible)
@click.argument("email", callback=_require_visible)
@click.argument("role", type=click.Choice([role.value for role in Role]))
@click.option("--name", callback=_read_name, help="Name of a new account. Default: its email address.")
@with_database
def add_member(slug: str, email: str, role: str, name: str | None) -> None:
    """Add a member to a workspace, or change their role. Prompts for a password if the account is new."""
    workspace = workspaces.find_workspace(slug)
    if workspace is None:
        raise click.ClickException(f"No workspace {slug} exists. Add it with: {COMMAND} add-workspace {slug} NAME")
    account = accounts.find_by_email(email)
    if account is not None:
        is_changed = members.grant_role(workspace, account, Role(role), database_clock.now(), COMMAND_LINE)
    else:
        account, is_changed = _add_account(email, name, workspace, Role(role)), True
    db.session.commit()
    click.echo(f"{account.email} is {'now' if is_changed else 'already'} {role} of {workspace.name}.")


def _add_account(email: str, name: str | None, workspace: Workspace, role: Role) -> Account:
    """Add an account that is a member of a workspace, so that its password cannot be the workspace's name."""
    try:
        email = read_new_email(email)
        password = _prompt_password("Password of the new account")
        account = accounts.add_account(email, name or email, None, database_clock.now())
        members.grant_role(workspace, account, role, database_clock.now(), COMMAND_LINE)
        accounts.set_password(account, password)
    except (InvalidEmail, WeakPassword) as reason:
        raise click.ClickException(str(reason)) from None
    return account


@click.command("set-password")
@click.argument("email", callback=_require_visible)
@with_database
def set_password(email: str) -> None:
    """Set a new password for an account and end its sessions."""
    account = _get_account(email)
    password = _prompt_password("New password")
    try:
        accounts.change_password(account, password, database_clock.now(), COMMAND_LINE)
    except WeakPassword as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"{account.email} has a new password and was signed out everywhere.")


@click.command("set-active")
@click.argument("email", callback=_require_visible)
@click.argument("active", type=bool)
@with_database
def set_active(email: str, active: bool) -> None:
    """Allow an account to sign in (true) or not (false). Both end its sessions immediately."""
    account = _get_account(email)
    try:
        members.set_active(account, active, database_clock.now(), COMMAND_LINE)
    except LastInstanceAdmin as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"{account.email} may {'' if active else 'no longer '}sign in.")


@click.command("remove-member")
@click.argument("slug", callback=_require_visible)
@click.argument("email", callback=_require_visible)
@with_database
def remove_member(slug: str, email: str) -> None:
    """Remove a member from a workspace. Their account stays."""
    account = _get_account(email)
    workspace = workspaces.find_workspace(slug)
    member = db.session.get(Member, (workspace.id, account.id)) if workspace else None
    if member is None:
        raise click.ClickException(f"{account.email} is not a member of {slug}.")
    members.remove_member(member, database_clock.now(), COMMAND_LINE)
    db.session.commit()
    click.echo(f"{account.email} is no longer a member of {slug}.")


def _prompt_password(title: str) -> str:
    password: str = click.prompt(title, hide_input=True, confirmation_prompt=True)
    return password


def _get_account(email: str) -> Account:
    account = accounts.find_by_email(email)
    if account is None:
        raise click.ClickException(f"No account {email} exists.")
    return account


@click.command("rotate-keys")
@with_database
def rotate_keys() -> None:
    """Encrypt every destination's settings with the first of ALERTCHECK_CONFIG_KEYS. Safe to repeat."""
    rotation = editing.rotate_keys(current_settings().cipher, database_clock.now())
    click.echo(
        f"Re-encrypted: {rotation.rotated}. Already current: {rotation.current}. Unreadable: {rotation.unreadable}."
    )
    if rotation.unreadable:
        raise click.ClickException("Keep the old keys: no key in ALERTCHECK_CONFIG_KEYS decrypts these settings.")


COMMANDS = (
    version,
    worker,
    check_worker,
    check_settings,
    add_workspace,
    add_member,
    remove_member,
    set_password,
    set_active,
    rotate_keys,
)
