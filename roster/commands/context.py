"""What commands run with: the settings and the services, without a web app."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from flask_pynamodb import ConfigurationError
from flask_pynamodb.local import EngineError
from models import Services
from roster.commands.command_group import local_data
from roster.config import Config, SettingError
from roster.local import demo
from roster.local.engine import engine_of
from roster.wiring import open_services


def with_services(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the services to a command as its first argument.

    They are built from the environment, unless the click context already holds them as its
    object, inside a database context of the caller.
    """

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        context = click.get_current_context()
        services = context.find_object(Services) or context.with_resource(
            _services(local_data(context))
        )
        command(services, *args, **kwargs)

    return run


@contextmanager
def settings_errors_in_one_line() -> Iterator[None]:
    """Turn a missing or wrong setting into one line and exit status 1.

    Raises:
        ClickException: A setting is missing or wrong.
    """
    try:
        yield
    except (SettingError, ConfigurationError, EngineError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _services(data: Path | None) -> Iterator[Services]:
    with ExitStack() as stack:
        with settings_errors_in_one_line():
            config = stack.enter_context(configured(data))
            services = stack.enter_context(open_services(config))
        yield services


@contextmanager
def configured(data: Path | None) -> Iterator[Config]:
    """Yield the settings of the environment, or those of local mode with a data folder."""
    if data is None:
        yield Config.from_env()
        return
    config = Config.from_env(local=True)
    host = config.dynamodb["DYNAMODB_HOST"]
    with engine_of(data, named=config.engine, host=host) as engine:
        yield demo.configure(config, engine, data, demo.noted_url(data))
