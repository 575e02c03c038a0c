"""Finds destinations, workspaces and test sends among all workspaces of one account."""
