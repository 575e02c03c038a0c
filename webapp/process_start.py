"""Starts a web process: logs its settings, or ends it if one is missing or invalid. `flask --app wsgi` uses it too."""

import logging
import sys
from importlib import import_module
from pathlib import Path

import click
from flask import Flask

from webapp import __version__
from webapp.app_state import app_state
from webapp.application_core import create_core
from webapp.cli import FILES_BY_COMMAND
from webapp.environment.settings_reader import Misconfigured
from webapp.logs import init_logs
from webapp.startup.database_check import log_database_problem
from webapp.startup.set_up_announcement import announce_set_up_link
from webapp.startup.settings_summary import summarize_settings

log = logging.getLogger("webapp.wsgi")  # the name under which administrators know these records

# gunicorn stops when a process exits with this status. With any other, it would start processes again and again,
# while visitors wait for a response that nobody sends.
APP_LOAD_ERROR = 4

UNREAD_FILE = (
    "The file .env in this folder is read by commands, not by the web server. Load it first: set -a; . ./.env; set +a"
)

# Imported by name, because our commands do without pages.
PAGES = "webapp.application"


def _create(command_line: click.Context | None) -> Flask:
    """Create the application with its pages, or without them for one of our commands."""
    if command_line is not None and _find_command(command_line) in FILES_BY_COMMAND:
        return create_core()
    app: Flask = import_module(PAGES).create_app()
    return app


def _find_command(command_line: click.Context) -> str | None:
    """Return the first word after the options of `flask`, which keeps it to itself while it loads the application."""
    whole = command_line.find_root()
    words = whole.command.make_parser(whole).parse_args(sys.argv[1:])[1]
    return words[0] if words else None


init_logs()
command_line = click.get_current_context(silent=True)  # of `flask --app wsgi`
is_web_process = command_line is None
try:
    app = _create(command_line)
except Misconfigured as reason:
    hint = f"\n{UNREAD_FILE}" if is_web_process and Path(".env").is_file() else ""
    click.echo(f"Alertcheck cannot start:\n{reason}{hint}", err=True)
    sys.exit(APP_LOAD_ERROR if is_web_process else 1)
if is_web_process:
    log.info("web process started", extra={"version": __version__, **summarize_settings(app_state(app).settings)})
    log_database_problem(app)
    announce_set_up_link(app)
