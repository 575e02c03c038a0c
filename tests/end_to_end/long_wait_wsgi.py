"""The application in processes whose requests wait for an outcome longer than a test may take, whatever its age."""

from datetime import timedelta
from importlib import import_module

from webapp.dashboard import poll_interval
from webapp.queue import outcome_waits

outcome_waits.LONGEST_WAIT = 120.0
outcome_waits.OPTIONS = {"socket_timeout": 2 * outcome_waits.LONGEST_WAIT}
poll_interval.WAIT_AGE = timedelta(seconds=outcome_waits.LONGEST_WAIT)

app = import_module("wsgi").app
