"""The commands, in a file for each subject. A command's file is imported when the command is used or listed."""

from collections.abc import Mapping
from importlib import import_module

import click
from flask.cli import AppGroup

# The names of the commands in each file.
_FILES = {
    "webapp.cli.processes": ("version", "worker", "check-worker"),
    "webapp.cli.settings_check": ("check-settings",),
    "webapp.cli.set_up": ("setup-link",),
    "webapp.cli.workspaces": ("add-workspace", "list-workspaces", "rename-workspace", "delete-workspace"),
    "webapp.cli.members": ("add-member", "remove-member", "list-members"),
    "webapp.cli.accounts": ("set-password", "set-active", "make-instance-admin", "unlink-account"),
    "webapp.cli.imports": ("import", "export"),
    "webapp.cli.keys": ("rotate-keys",),
    "webapp.database.schema_commands": ("db",),  # it replaces the group of Flask-Migrate
}
FILES_BY_COMMAND = {name: file for file, names in _FILES.items() for name in names}

# Only a demo has it, so that a production installation imports no demo code.
OF_DEMO = {"seed-demo": "webapp.demo.commands"}


class OurCommands(click.Group):
    """Adds our commands to those of a group of Flask.

    files: the file of each command, by name.
    """

    files: Mapping[str, str] = FILES_BY_COMMAND

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *self.files})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return ours, even if the group has another one of this name."""
        if cmd_name not in self.files:
            return super().get_command(ctx, cmd_name)
        commands: tuple[click.Command, ...] = import_module(self.files[cmd_name]).COMMANDS
        return next(command for command in commands if command.name == cmd_name)


class AppCommands(OurCommands, AppGroup):
    """The commands of an application."""

    def __init__(self, name: str, *, is_demo: bool) -> None:
        super().__init__(name)
        self.files = FILES_BY_COMMAND | (OF_DEMO if is_demo else {})
