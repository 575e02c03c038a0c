"""The application for a WSGI server, for an installed package: `gunicorn webapp.wsgi:app`."""

from webapp.startup.garbage_collection import collector_paused

with collector_paused():
    from webapp.process_start import app

__all__ = ["app"]
