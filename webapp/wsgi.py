"""The application for a WSGI server, for an installed package: `gunicorn webapp.wsgi:app`."""

import logging
import sys

import click

from webapp import __version__
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.environment.model import Misconfigured
from webapp.logs import init_logs
from webapp.startup.database_check import log_database_problem
from webapp.startup.settings_summary import summarize_settings

log = logging.getLogger(__name__)

init_logs()
try:
    app = create_app()
except Misconfigured as reason:
    sys.exit(f"Alertcheck cannot start:\n{reason}")
if click.get_current_context(silent=True) is None:  # `flask --app wsgi` runs a command, not a web process
    log.info("web process started", extra={"version": __version__, **summarize_settings(app_state(app).settings)})
    log_database_problem(app)
