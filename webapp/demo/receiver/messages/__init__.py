"""What the demo's inbox shows of each message: a file for each kind."""
