"""What stands around the application in a web process: gunicorn's settings, and what proxies do to a request."""
