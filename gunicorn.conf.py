"""Read by gunicorn when it is started in the project folder: `gunicorn wsgi:app`."""

from webapp.web_server.gunicorn import *  # noqa: F403
