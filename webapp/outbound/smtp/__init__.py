"""Mail through the configured mail server."""
