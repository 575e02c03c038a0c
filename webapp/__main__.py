"""The command `alertcheck`, also `python -m webapp`: Flask's command line for this application, without its pages."""

from webapp.startup.garbage_collection import collector_paused

with collector_paused():
    from typing import IO, Any

    import click
    from flask import Flask
    from flask.cli import FlaskGroup, NoAppException

    from webapp.application_core import create_core
    from webapp.cli import OurCommands
    from webapp.environment.settings_reader import Misconfigured
    from webapp.logs import init_logs


class CannotStart(NoAppException):
    """A setting is missing or invalid. Shown as sentences, without the usage of the command."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentences."""
        click.echo(f"Alertcheck cannot start:\n{self.message}", file=file, err=file is None)


class CommandLine(OurCommands, FlaskGroup):
    """Our commands, which --help lists without an application, and those of an application, such as the demo's."""


def main() -> None:
    """Run the command given on the command line."""
    group = CommandLine(
        create_app=_start,
        add_default_commands=False,  # they serve and list pages
        add_version_option=False,
        help="Run and administer Alertcheck.",
    )
    group.params = [param for param in group.params if param.name != "app"]
    group.main(prog_name="alertcheck")


def _start() -> Flask:
    init_logs()
    try:
        with collector_paused():
            return create_core()
    except Misconfigured as reason:
        raise CannotStart(str(reason)) from None


if __name__ == "__main__":
    main()
