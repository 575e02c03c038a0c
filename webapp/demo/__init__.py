"""The demo that `make run` starts: its supervisor, its data, and a receiver that stands in for the real services."""
