"""Starts a web process: logs its settings, or ends it if one is missing or invalid. `flask --app wsgi` uses it too."""

import logging
import sys

import click

from webapp import __version__
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.environment.model import Misconfigured
from webapp.logs import init_logs
from webapp.startup.database_check import log_database_problem
from webapp.startup.set_up_announcement import announce_set_up_link
from webapp.startup.settings_summary import summarize_settings

log = logging.getLogger("webapp.wsgi")  # the name under which administrators know these records

# gunicorn stops when a process exits with this status. With any other, it would start processes again and again,
# while visitors wait for a response that nobody sends.
APP_LOAD_ERROR = 4

init_logs()
is_web_process = click.get_current_context(silent=True) is None  # `flask --app wsgi` runs a command
try:
    app = create_app()
except Misconfigured as reason:
    click.echo(f"Alertcheck cannot start:\n{reason}", err=True)
    sys.exit(APP_LOAD_ERROR if is_web_process else 1)
if is_web_process:
    log.info("web process started", extra={"version": __version__, **summarize_settings(app_state(app).settings)})
    log_database_problem(app)
    announce_set_up_link(app)
