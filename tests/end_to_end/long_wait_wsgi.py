"""The application in processes whose requests wait for an outcome much longer than a test may take."""

from importlib import import_module

from webapp.queue import outcome_waits

outcome_waits.LONGEST_WAIT = 120.0
outcome_waits.OPTIONS = {"socket_timeout": 2 * outcome_waits.LONGEST_WAIT}

app = import_module("wsgi").app
