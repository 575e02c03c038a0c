"""Readiness: whether a press would work now, found out by doing what it does to each part, except for the message."""
