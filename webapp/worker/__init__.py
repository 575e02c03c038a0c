"""The worker: a supervisor, its processes, and the dispatcher that sends deliveries in threads."""
