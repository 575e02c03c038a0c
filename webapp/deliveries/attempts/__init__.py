"""An attempt to send a delivery: claims it, sends its message, and records the result."""
