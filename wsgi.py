"""The application, for gunicorn and for `flask --app wsgi`."""

import sys

from webapp.application import create_app
from webapp.logs import init_logs
from webapp.settings import Misconfigured

init_logs()
try:
    app = create_app()
except Misconfigured as reason:
    sys.exit(f"Alertcheck cannot start: {reason}")
