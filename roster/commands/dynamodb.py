"""`roster dynamodb`: the commands of the extension, with the settings of Roster."""

from copy import copy
from pathlib import Path

import click
from flask import Flask
from flask.cli import ScriptInfo

from flask_pynamodb.cli import dynamodb
from flask_pynamodb.local import EngineError
from roster.commands.command_group import choose_database, local_data, local_options
from roster.commands.context import configured, settings_errors_in_one_line
from roster.local.engine import find_engine
from roster.migrations import database_app


def load_database_app() -> Flask:
    """Make the app for the commands of the extension: its database and no routes.

    Raises:
        ClickException: A setting is missing or wrong.
    """
    context = click.get_current_context()
    with settings_errors_in_one_line():
        return database_app(context.with_resource(configured(local_data(context))))


def _default_engine() -> Path:
    try:
        return find_engine()
    except EngineError as error:
        raise click.ClickException(str(error)) from None


# A copy, since other apps of a process have commands of the extension, too.
local_dynamodb = copy(dynamodb)
local_dynamodb.params = [*dynamodb.params, *local_options()]
local_dynamodb.callback = choose_database
# The commands find their app through the ScriptInfo of Flask. The default map has the binary of the
# local engine in this project.
local_dynamodb.context_settings = {
    "obj": ScriptInfo(create_app=load_database_app),
    "default_map": {"local": {"binary": _default_engine}},
}
