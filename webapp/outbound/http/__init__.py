"""HTTP requests to receivers."""
