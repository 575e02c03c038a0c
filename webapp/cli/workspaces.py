"""The commands for workspaces."""

import click

from webapp.audit import COMMAND_LINE
from webapp.auth import workspaces
from webapp.cli.arguments import read_name_argument
from webapp.database.command_context import with_database
from webapp.environment.installation import COMMAND
from webapp.extensions import db
from webapp.models import database_clock


@click.command("add-workspace")
@click.argument("slug")
@click.argument("name", callback=read_name_argument)
@with_database
def add_workspace(slug: str, name: str) -> None:
    """Add a workspace, for example: alertcheck add-workspace harbor "Harbor Logistics"."""
    try:
        workspaces.open_workspace(slug, name, database_clock.now(), COMMAND_LINE)
    except (workspaces.InvalidSlug, workspaces.SlugUsed) as reason:
        raise click.ClickException(str(reason)) from None
    db.session.commit()
    click.echo(f"Added. Its page is /w/{slug}. Add its first admin with: {COMMAND} add-member {slug} EMAIL admin")


COMMANDS = (add_workspace,)
