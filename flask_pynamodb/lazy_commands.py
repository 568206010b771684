"""The commands of an app, imported when one of them is asked for: a server asks for none."""

from importlib import import_module

import click

NAME = "dynamodb"
HELP = "Manage the app's DynamoDB tables."


class LazyCommands(click.Group):
    """`flask dynamodb`, with the commands of `flask_pynamodb.cli`."""

    def __init__(self) -> None:
        super().__init__(NAME, help=HELP)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return self._group.list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        return self._group.get_command(ctx, cmd_name)

    @property
    def _group(self) -> click.Group:
        group: click.Group = import_module("flask_pynamodb.cli").dynamodb
        return group
