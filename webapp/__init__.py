"""Alertcheck: tells the owners of alert destinations whether an alert would arrive.

Nothing is imported here: the demo's runner and receiver are in this package too, and do without the application.
"""

__version__ = "0.2.0"  # the only place: setuptools, the command line, the pages, /metrics and the logs read it here
