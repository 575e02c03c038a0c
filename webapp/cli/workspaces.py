"""The commands for workspaces."""

import click

from webapp.audit import COMMAND_LINE
from webapp.cli.arguments import get_workspace, read_name_argument, require_visible
from webapp.cli.tables import echo_table
from webapp.database.command_context import with_database
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.models import Workspace, database_clock
from webapp.text.counting import count
from webapp.text.slugs import InvalidSlug
from webapp.workspaces import installation_members, workspace_changes, workspace_deletion


@click.command("add-workspace")
@click.argument("slug")
@click.argument("name", callback=read_name_argument)
@with_database
def add_workspace(slug: str, name: str) -> None:
    """Add a workspace, for example: alertcheck add-workspace harbor "Harbor Logistics"."""
    try:
        workspace_changes.open_workspace(slug, name, database_clock.now(), COMMAND_LINE)
    except (InvalidSlug, workspace_changes.SlugUsed) as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"Added. Its page is /w/{slug}. Add its first admin with: {COMMAND} add-member {slug} EMAIL admin")


@click.command("list-workspaces")
@with_database
def list_workspaces() -> None:
    """List the workspaces, by slug: each with its name and its numbers of members and destinations."""
    rows = [
        (row.workspace.slug, str(row.members), str(row.destinations), row.workspace.name)
        for row in installation_members.list_workspaces()
    ]
    echo_table(("SLUG", "MEMBERS", "DESTINATIONS", "NAME"), rows)


@click.command("rename-workspace")
@click.argument("slug", callback=require_visible)
@click.argument("name", callback=read_name_argument)
@with_database
def rename_workspace(slug: str, name: str) -> None:
    """Change the name of a workspace. Its slug never changes, because settings and links contain it."""
    workspace = get_workspace(slug)
    is_changed = workspace_changes.rename_workspace(workspace, name, database_clock.now(), COMMAND_LINE)
    db.session.commit()
    click.echo(f"{slug} is {'now' if is_changed else 'already'} called {workspace.name}.")


@click.command("delete-workspace")
@click.argument("slug", callback=require_visible)
@with_database
def delete_workspace(slug: str) -> None:
    """Delete a workspace with all that is in it. Says what is lost, and asks for the slug."""
    workspace = get_workspace(slug)
    click.echo(_describe_loss(workspace))
    db.session.rollback()  # nobody waits while somebody types
    # Not a confirmation by "y": whoever types the slug has read it.
    if click.prompt("Type the slug to delete it, or press Ctrl-C") != slug:
        raise click.ClickException("This is not the slug. Nothing was deleted.")
    try:
        workspace_deletion.delete_workspace(get_workspace(slug), database_clock.now(), COMMAND_LINE)
    except workspace_deletion.WorkspaceGone:
        raise click.ClickException(f"{slug} was deleted meanwhile.") from None
    db.session.commit()
    click.echo(f"{slug} is deleted. A worker deletes what is left of its deliveries.")


def _describe_loss(workspace: Workspace) -> str:
    impact = workspace_deletion.assess_deletion(workspace)
    more = "more than " if impact.has_more_deliveries else ""
    lines = [
        f"{workspace.name} (/w/{workspace.slug}) would be lost, with everything in it:",
        f"  {count(impact.members, 'membership')}; the accounts stay",
        f"  {count(impact.destinations, 'destination')}",
        f"  {more}{count(impact.deliveries, 'delivery', 'deliveries')}, {impact.waiting:,} of them still to be sent",
        f"No workspace gets the slug {workspace.slug} again. The audit trail stays in the database.",
    ]
    return "\n".join(lines)


COMMANDS = (add_workspace, list_workspaces, rename_workspace, delete_workspace)
