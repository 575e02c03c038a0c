"""Handles a press on Send test or Test all: checks the rate limits, requests the test sends and enqueues them."""
