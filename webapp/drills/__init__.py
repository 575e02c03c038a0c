"""Drills: test sends that a workspace's schedule requests."""
