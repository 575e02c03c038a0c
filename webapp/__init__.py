"""Alertcheck: shows the owners of alert destinations whether an alert would arrive.

Imports nothing: the demo's supervisor and receiver, in the same package, run without the application.
"""

__version__ = "0.2.0"  # the single source for setuptools, the command line, the pages, /metrics and the logs
