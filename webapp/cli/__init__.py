"""The commands, in a file for each subject."""

from webapp.cli import accounts, imports, keys, members, processes, set_up, workspaces

COMMANDS = (
    *processes.COMMANDS,
    *set_up.COMMANDS,
    *workspaces.COMMANDS,
    *members.COMMANDS,
    *accounts.COMMANDS,
    *imports.COMMANDS,
    *keys.COMMANDS,
)
