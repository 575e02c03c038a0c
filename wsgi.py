"""The application for gunicorn and `flask --app wsgi`, run from the project folder."""

from webapp.wsgi import app

__all__ = ["app"]
