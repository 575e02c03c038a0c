"""Manages accounts and sessions, and checks access."""
