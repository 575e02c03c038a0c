"""The commands, in a file for each subject."""

from webapp.cli import accounts, keys, members, processes, workspaces

COMMANDS = (
    *processes.COMMANDS,
    *workspaces.COMMANDS,
    *members.COMMANDS,
    *accounts.COMMANDS,
    *keys.COMMANDS,
)
