"""Alertcheck: tells the owners of alert destinations whether an alert would arrive.

Nothing is imported here: the demo's runner and receiver are in this package too, and do without the application.
"""
