"""Email through the configured mail server."""
