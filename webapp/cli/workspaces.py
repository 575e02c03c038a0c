"""The commands for workspaces."""

import click
from sqlalchemy import select

from webapp.audit import COMMAND_LINE
from webapp.auth import members
from webapp.cli.arguments import read_name_argument
from webapp.database.command_context import with_database
from webapp.environment.installation import COMMAND
from webapp.extensions import db
from webapp.models import Workspace, database_clock


@click.command("add-workspace")
@click.argument("slug")
@click.argument("name", callback=read_name_argument)
@with_database
def add_workspace(slug: str, name: str) -> None:
    """Add a workspace, for example: alertcheck add-workspace harbor "Harbor Logistics"."""
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower() and len(slug) <= 63):
        raise click.ClickException("A slug has up to 63 lowercase letters, digits and hyphens.")
    if db.session.scalars(select(Workspace).where(Workspace.slug == slug)).one_or_none():
        raise click.ClickException(f"A workspace {slug} already exists.")
    members.open_workspace(slug, name, database_clock.now(), COMMAND_LINE)
    db.session.commit()
    click.echo(f"Added. Its page is /w/{slug}. Add its first admin with: {COMMAND} add-member {slug} EMAIL admin")


COMMANDS = (add_workspace,)
