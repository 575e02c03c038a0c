"""Notices: closes problems of destinations, and tells members when one begins, goes on, or is over."""
