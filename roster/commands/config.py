"""`roster config`: the settings that the service would start with."""

import click

from roster.commands.context import settings_errors_in_one_line
from roster.commands.output import show_json, show_table
from roster.config import Config


@click.command("config")
@click.option("--local", "is_local", is_flag=True, help="The settings of `roster serve --local`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show_config(is_local: bool, as_json: bool) -> None:
    """Show every setting with its value and source; secrets are masked."""
    with settings_errors_in_one_line():
        config = Config.from_env(local=is_local)
    rows = [(one.variable, one.display(value), one.source) for one, value in config.by_setting()]
    if as_json:
        show_json([dict(zip(("setting", "value", "source"), row, strict=True)) for row in rows])
    else:
        show_table(("setting", "value", "source"), rows)
