"""Which URLs, host names and networks messages may be sent to."""
