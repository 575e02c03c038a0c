"""The figures of /metrics: completed deliveries and the backlog."""
