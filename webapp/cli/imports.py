"""The commands that import destinations from a file, and export those of a workspace."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from webapp.app_state import current_settings
from webapp.audit import COMMAND_LINE
from webapp.cli.arguments import get_workspace, require_visible
from webapp.cli.tables import echo_table
from webapp.database.command_context import with_database
from webapp.extensions import db
from webapp.imports.adding import add_rows
from webapp.imports.dry_run import DryRunRow, Judge, RowState
from webapp.imports.export import write_export
from webapp.imports.file_contents import FileFormat, FileUnreadable, FoundFile
from webapp.imports.file_reading import load_path, load_stream
from webapp.models import Workspace, database_clock
from webapp.models.locking import lock_workspace
from webapp.text.counting import count
from webapp.text.names import clean_name

_of_workspace = click.option(
    "--workspace", "slug", required=True, callback=require_visible, help="Slug of the workspace."
)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@_of_workspace
@click.option("--dry-run", is_flag=True, help="Only show what would become of each receiver.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice([each.value for each in FileFormat]),
    help="Format of the file. Default: recognized by its content.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Import this receiver only. May be repeated.")
@with_database
def import_destinations(file: Path, slug: str, dry_run: bool, file_format: str | None, only: tuple[str, ...]) -> None:
    """Add what is ready in FILE (- for standard input) as destinations, and list the rest. Sends nothing.

    Exits with 0 if each receiver has a destination now, or would have one, and with 1 if one has not.
    """
    if current_settings().is_public_demo:
        raise click.ClickException("A public demo imports nothing.")
    workspace, found = get_workspace(slug), _load(file, FileFormat(file_format) if file_format else None)
    if not dry_run:
        lock_workspace(workspace)
    rows = _pick(_judge(workspace, found), only)
    ready = [row for row in rows if row.state is RowState.READY]
    if ready and not dry_run:
        add_rows(workspace, COMMAND_LINE, ready, found.format, current_settings().cipher, database_clock.now())
        db.session.commit()
    _echo_rows(rows, found)
    verb = "would be added" if dry_run else "is added" if len(ready) == 1 else "are added"
    click.echo(f"{count(len(ready), 'destination')} {verb}. Nothing was sent.")
    if any(row.state not in (RowState.READY, RowState.DUPLICATE) for row in rows):
        raise click.exceptions.Exit(1)


@click.command("export")
@_of_workspace
@with_database
def export_destinations(slug: str) -> None:
    """Print a workspace's destinations as YAML without secrets, which can be imported again."""
    click.echo(write_export(get_workspace(slug), current_settings().cipher), nl=False)


def _load(file: Path, file_format: FileFormat | None) -> FoundFile:
    try:
        if str(file) == "-":
            return load_stream(sys.stdin.buffer, file_format)
        return load_path(file, file_format)
    except FileUnreadable as reason:
        raise click.ClickException(str(reason)) from None
    except OSError as error:
        raise click.ClickException(f"The file cannot be read: {error.strerror}.") from None


def _judge(workspace: Workspace, found: FoundFile) -> list[DryRunRow]:
    return Judge.of_workspace(workspace, current_settings()).judge(found.receivers)


def _pick(rows: Sequence[DryRunRow], only: Sequence[str]) -> list[DryRunRow]:
    wanted = {clean_name(name).casefold() for name in only}
    missing = wanted - {row.name.casefold() for row in rows}
    if missing:
        raise click.ClickException(
            f"No receiver in the file is called {', '.join(sorted(missing))}. Nothing was added."
        )
    return [row for row in rows if not wanted or row.name.casefold() in wanted]


def _echo_rows(rows: Sequence[DryRunRow], found: FoundFile) -> None:
    cells = [
        (row.state.replace(" ", "-"), row.channel_name or "", _print(row.where).replace(" ", ""), row.name)
        for row in rows
    ]
    echo_table(("STATE", "CHANNEL", "WHERE", "NAME"), cells)
    click.echo()
    for line in [*_describe(rows), *found.notes]:
        click.echo(_print(line))


def _describe(rows: Sequence[DryRunRow]) -> Iterator[str]:
    for row in rows:
        for sentence in (row.reason, *row.notes):
            if sentence:
                yield f"{row.name}: {sentence}"


def _print(text: str) -> str:
    """Return a text as it may be written to a terminal: one line, without control characters."""
    return clean_name(text)


COMMANDS = (import_destinations, export_destinations)
