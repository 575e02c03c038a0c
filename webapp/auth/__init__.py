"""Accounts, sessions, and what a signed-in visitor may load."""
