"""The figures behind /metrics: completed deliveries and the backlog."""
