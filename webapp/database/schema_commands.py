"""The `db` commands: those of Flask-Migrate, in sentences, and with a question before anything is lost."""

import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import click
from alembic.script import Script
from alembic.script.revision import RevisionError
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate.cli import db as flask_migrate_group
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from webapp.database.migrations import get_scripts, init_migrations
from webapp.database.outages import Outage, describe_outage, find_outage
from webapp.database.revision import (
    SchemaFault,
    SchemaProblem,
    find_schema_problem,
    list_known_revisions,
    read_revisions,
)
from webapp.extensions import db
from webapp.logs import PlainText, showing_as_text

# Alembic's remarks about itself, which mean nothing to an administrator.
_NOISE = frozenset({"Context impl %s.", "Will assume %s DDL.", "setting up autogenerate plugin %s"})

_THEIRS = flask_migrate_group.commands

# Deliveries from which on an upgrade says how many there are: it may take seconds.
MANY_DELIVERIES = 10_000

# An estimate, because PostgreSQL would wait for another upgrade to count.
_COUNT_DELIVERIES = {
    "postgresql": text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('alert_deliveries')"),
    "sqlite": text("SELECT count(*) FROM alert_deliveries"),
}


class _Terminal(logging.Handler):
    """Prints progress to standard output, and warnings and errors to standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg not in _NOISE:
            click.echo(self.format(record), err=record.levelno >= logging.WARNING)


class _SchemaGroup(click.Group):
    """Explains errors of the database."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SQLAlchemyError as error:
            raise click.ClickException(_explain(error)) from None


def _explain(error: SQLAlchemyError) -> str:
    """Explain an error, or quote the first sentence of the database about a step, which repeats no row."""
    # A migration that misses a table is not cured by migrating.
    sentence = None if find_outage(error) is Outage.NOT_MIGRATED else describe_outage(error)
    if sentence:
        return sentence
    cause = error.orig if isinstance(error, DBAPIError) else None
    diagnosis = getattr(cause, "diag", None)
    return (
        f"Nothing was changed: the database refused a step ({type(error).__name__})."
        f" {diagnosis.message_primary if diagnosis else cause}"
    )


@click.pass_context
def _show_records(ctx: click.Context, /, **options: Any) -> None:
    """Upgrade and inspect the schema of the database."""
    init_migrations(current_app)
    ctx.invoke(flask_migrate_group.callback, **options)
    terminal = _Terminal()
    terminal.setFormatter(PlainText(_list_secrets()))
    ctx.with_resource(showing_as_text(terminal, "flask_migrate", "alembic"))


def _list_secrets() -> list[str]:
    password = str(db.engine.url.password or "")
    return [password, quote(password), quote_plus(password)]


schema_commands = _SchemaGroup(
    "db",
    callback=with_appcontext(_show_records),
    params=flask_migrate_group.params,
    commands=dict(flask_migrate_group.commands),
    help=_show_records.__doc__,
)


def _replace(theirs: click.Command, *further: click.Parameter) -> Callable[[Callable[..., None]], click.Command]:
    """Give a function the name and options of one of Flask-Migrate's commands, and put it in its place."""

    def decorate(function: Callable[..., None]) -> click.Command:
        callback = with_appcontext(click.pass_context(function))
        ours = click.Command(theirs.name, callback=callback, params=[*theirs.params, *further], help=function.__doc__)
        schema_commands.add_command(ours)
        return ours

    return decorate


@_replace(_THEIRS["upgrade"])
def upgrade(ctx: click.Context, **options: Any) -> None:
    """Upgrade the schema to the revision that this program needs, or to REVISION."""
    problem = _refuse_unknown()
    if problem:
        _announce_size()
    ctx.invoke(_THEIRS["upgrade"], **options)
    click.echo(_describe_position())


@_replace(_THEIRS["downgrade"], click.Option(["--yes"], is_flag=True, help="Do not ask."))
def downgrade(ctx: click.Context, yes: bool, revision: str, **options: Any) -> None:
    """Go back to an older REVISION, by default one step. Shows what is lost, and asks."""
    _refuse_unknown()
    steps = list(_list_steps_down(revision))
    if steps:
        _require_consent(steps, yes)
        # By its name: "one step" would be another one if somebody else has downgraded meanwhile.
        revision = str(steps[-1].down_revision or "base")
    ctx.invoke(_THEIRS["downgrade"], revision=revision, **options)
    if steps:
        click.echo("Before you start anything, install the version of Alertcheck that this revision belongs to.")


@_replace(_THEIRS["stamp"])
def stamp(ctx: click.Context, **options: Any) -> None:
    """Record REVISION as that of the database, without changing a table."""
    ctx.invoke(_THEIRS["stamp"], **options)
    click.echo(f"No table was changed. {_describe_position()}")


@_replace(_THEIRS["current"])
def current(_ctx: click.Context, **_options: Any) -> None:
    """Show the revision of the database, and whether this program needs another."""
    click.echo(_describe_position())


def _find_problem() -> SchemaProblem | None:
    with db.engine.connect() as connection:
        return find_schema_problem(connection)


def _refuse_unknown() -> SchemaProblem | None:
    """Return what is wrong with the schema, if anything. Refuses one that no migration of this program fits."""
    problem = _find_problem()
    if problem and problem.fault is not SchemaFault.OLDER:
        raise click.ClickException(f"Nothing was changed. {problem.sentence}")
    return problem


def _describe_position() -> str:
    problem, known = _find_problem(), list_known_revisions()
    if problem is None:
        return f"The database has revision {known.needed}, which this program needs: {known.titles[known.needed]}"
    return problem.sentence


def _announce_size() -> None:
    with db.engine.connect() as connection:
        is_empty = not read_revisions(connection)
        count = 0 if is_empty else connection.scalar(_COUNT_DELIVERIES[connection.dialect.name])
    if count and count >= MANY_DELIVERIES:
        click.echo(f"There are about {count:,} deliveries. Pages wait while a step copies, checks or sorts them.")


def _list_steps_down(revision: str) -> Iterator[Script]:
    """List the revisions that a downgrade undoes, the newest first; none if Alembic will refuse it."""
    with db.engine.connect() as connection:
        (found,) = read_revisions(connection) or (None,)
    try:
        yield from get_scripts().iterate_revisions(found, revision, select_for_downgrade=True)
    except RevisionError:
        return


def _require_consent(steps: list[Script], yes: bool) -> None:
    click.echo("This removes for good:")
    for script in steps:
        click.echo(f"  {script.revision}: {script.module.DOWNGRADE_LOSES}")
    click.echo("Stop the web servers and workers first, and make a backup: docs/deploy.md describes both.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("Nothing was changed. Without a terminal to ask at, a downgrade needs --yes.")
    click.confirm("Downgrade now?", abort=True)


COMMANDS = (schema_commands,)
