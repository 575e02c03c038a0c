"""The command `alertcheck`, also `python -m webapp`: Flask's command line for this application."""

from typing import IO, Any

import click
from flask import Flask
from flask.cli import FlaskGroup, NoAppException

from webapp.application import create_app
from webapp.cli import COMMANDS
from webapp.database.schema_commands import schema_commands
from webapp.environment.model import Misconfigured
from webapp.logs import init_logs


class CannotStart(NoAppException):
    """A setting is missing or invalid. Shown as sentences, without the usage of the command."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentences."""
        click.echo(f"Alertcheck cannot start:\n{self.message}", file=file, err=file is None)


def main() -> None:
    """Run the command given on the command line."""
    group = FlaskGroup(create_app=_start, add_version_option=False, help="Run and administer Alertcheck.")
    group.params = [param for param in group.params if param.name != "app"]
    # The application has them too, but --help must list them without an application.
    for command in (*COMMANDS, schema_commands):
        group.add_command(command)
    group.main(prog_name="alertcheck")


def _start() -> Flask:
    init_logs()
    try:
        return create_app()
    except Misconfigured as reason:
        raise CannotStart(str(reason)) from None


if __name__ == "__main__":
    main()
