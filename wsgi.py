"""The application, for gunicorn and for `flask --app wsgi`."""

import sys

from webapp.application import create_app
from webapp.config import Misconfigured
from webapp.logs import init_logs

init_logs()
try:
    app = create_app()
except Misconfigured as reason:
    sys.exit(f"Alertcheck cannot start: {reason}")
