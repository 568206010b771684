"""`roster openapi`: write the API description."""

from dataclasses import replace

import click

from api import openapi
from roster.app import create_app
from roster.commands.context import settings_errors_in_one_line
from roster.config import Config


@click.group("openapi")
def openapi_group() -> None:
    """Write the API description."""


@openapi_group.command()
def write() -> None:
    """Write openapi/openapi.json and openapi/swagger.json."""
    with settings_errors_in_one_line():
        # The documents depend on no key.
        config = replace(Config.from_env(local=True), secret_keys=("unused",))
        app = create_app(config)
    for name, path in openapi.PATHS.items():
        path.write_text(openapi.render(app, name))
        click.echo(f"wrote {path}")
