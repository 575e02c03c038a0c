"""The application, for gunicorn and for `flask --app wsgi` in the project's folder."""

from webapp.wsgi import app

__all__ = ["app"]
