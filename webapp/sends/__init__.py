"""The press on Send test and Test all: rate limits, the request, and the hand-over to the queue."""
