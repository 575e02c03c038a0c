"""The check of an installation's settings."""

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.settings_check import checks
from webapp.settings_check.finding import Severity


@click.command("check-settings")
@with_appcontext
def check_settings() -> None:
    """Try all that the settings name, one line each: exit with 0, or with 1 if something cannot work. Sends nothing."""
    has_problem = False
    for finding in checks.check_settings(current_app._get_current_object()):  # type: ignore[attr-defined]
        click.echo(f"{finding.severity:<8} {finding.part}: {finding.text}")
        has_problem = has_problem or finding.severity is Severity.PROBLEM
    if has_problem:
        raise click.exceptions.Exit(1)


COMMANDS = (check_settings,)
