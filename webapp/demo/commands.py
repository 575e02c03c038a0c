"""The demo's own command."""

from importlib import import_module

import click

from webapp.database.command_context import with_database
from webapp.database.revision import find_schema_problem
from webapp.demo import seed
from webapp.environment.settings_reader import Misconfigured
from webapp.extensions import db
from webapp.models import database_clock

# Imported only to migrate: it imports Alembic.
SCHEMA_COMMANDS = "webapp.database.schema_commands"


@click.command("seed-demo")
@with_database
def seed_demo() -> None:
    """Migrate the database if it needs that, and seed it, or update the receiver's address in what was seeded."""
    _migrate()
    try:
        click.echo(seed.seed_demo(database_clock.now()))
    except Misconfigured as reason:
        raise click.ClickException(str(reason)) from None


def _migrate() -> None:
    with db.engine.connect() as connection:
        is_current = find_schema_problem(connection) is None
    if not is_current:
        import_module(SCHEMA_COMMANDS).schema_commands.main(["upgrade"], standalone_mode=False)


COMMANDS = (seed_demo,)
