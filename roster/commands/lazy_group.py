"""A group whose commands are imported when one of them is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is, and what its group says about it.

    Attributes:
        name: The name.
        source: The module and the attribute: `roster.commands.serve:serve`.
        help: The first sentence of the command's help.
    """

    name: str
    source: str
    help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.source.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """A group that imports a command to run it, but not to list it in help and completion.

    Among its `commands`, one with the name and the help stands for each lazy one.

    Args:
        lazy: The lazy commands.
        attributes: Those of a group.
    """

    def __init__(self, *, lazy: Iterable[LazyCommand], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.lazy = {command.name: command for command in lazy}
        for command in self.lazy.values():
            self.add_command(click.Command(command.name, help=command.help))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, imported if it is a lazy one."""
        name, command, rest = super().resolve_command(ctx, args)
        lazy = self.lazy.get(name or "")
        return name, lazy.load() if lazy else command, rest
