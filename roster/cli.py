"""The `roster` command: serve, users, clients, events, keys, templates, dynamodb, openapi, ..."""

import sys
from copy import copy

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from roster.commands.lazy_group import LazyCommand, LazyGroup

_COMPLETIONS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
# Imports take most of the time of a start, and help, the version and completion need none of these.
_COMMANDS = (
    LazyCommand(
        "check",
        "roster.commands.check:check",
        "Check settings, tables, and the metadata of all users; exit 1 if something does not fit.",
    ),
    LazyCommand(
        "clients",
        "roster.commands.clients:clients",
        "Manage clients: programs that belong to no user.",
    ),
    LazyCommand(
        "config",
        "roster.commands.config:show_config",
        "Show every setting with its value and source; secrets are masked.",
    ),
    LazyCommand(
        "dynamodb",
        "roster.commands.dynamodb:local_dynamodb",
        "Manage the app's DynamoDB tables.",
    ),
    LazyCommand("events", "roster.commands.events:events", "Read audit events."),
    LazyCommand(
        "invitations",
        "roster.commands.invitations:invitations",
        "Invite people by email.",
    ),
    LazyCommand(
        "keys",
        "roster.commands.keys:keys",
        "Replace the secret key, and the keys that sign access tokens.",
    ),
    LazyCommand("openapi", "roster.commands.openapi:openapi_group", "Write the API description."),
    LazyCommand("serve", "roster.commands.serve:serve", "Serve the API until SIGTERM or Ctrl-C."),
    LazyCommand(
        "templates",
        "roster.commands.templates:templates",
        "Replace templates of pages and emails by those in the folder of ROSTER_TEMPLATES.",
    ),
    LazyCommand("users", "roster.commands.users:users", "Manage accounts."),
)


def main() -> None:
    """Run the console script."""
    console = copy(cli)
    # Runs before a command, but not for help and the version.
    console.callback = _configure_logs
    try:
        console()
    except Exception as error:
        # Slow to import, and help needs it as little as most commands.
        from flask_pynamodb import is_unavailable  # noqa: PLC0415

        if not is_unavailable(error):
            raise
        sys.exit(f"Error: DynamoDB is not reachable: {error}")


@click.pass_context
def _configure_logs(context: click.Context) -> None:
    if context.invoked_subcommand in cli.lazy:
        # As slow to import as the command.
        from roster.observability import logs  # noqa: PLC0415

        logs.configure()


@click.group(cls=LazyGroup, lazy=_COMMANDS)
@click.version_option(package_name="roster", prog_name="Roster", message="%(prog)s %(version)s")
def cli() -> None:
    """Roster: accounts, sessions and passwords on Amazon DynamoDB."""


@cli.command()
@click.argument("shell", type=click.Choice(list(_COMPLETIONS)))
def completion(shell: str) -> None:
    """Print a script that completes commands: source <(roster completion bash)."""
    click.echo(_COMPLETIONS[shell](cli, {}, "roster", "_ROSTER_COMPLETE").source())


if __name__ == "__main__":
    main()
