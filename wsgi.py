"""The application, for gunicorn and for `flask --app wsgi`."""

import sys

from webapp import create_app
from webapp.config import Misconfigured

try:
    app = create_app()
except Misconfigured as reason:
    sys.exit(f"Alertcheck cannot start: {reason}")
