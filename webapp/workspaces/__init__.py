"""Workspaces and who is in them: opening and deleting, members, invitations, and the first set-up."""
