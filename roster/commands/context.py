"""What commands run with: the settings and the services, without a web app."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import click

from flask_pynamodb import ConfigurationError
from models import Services
from roster.config import Config, SettingError
from roster.wiring import open_services


def with_services(command: Callable[..., None]) -> Callable[..., None]:
    """Pass the services to a command as its first argument.

    They are built from the environment, unless the click context already holds them as its
    object, inside a database context of the caller.
    """

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        context = click.get_current_context()
        services = context.find_object(Services) or context.with_resource(_services())
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
    except (SettingError, ConfigurationError) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _services() -> Iterator[Services]:
    with ExitStack() as stack:
        with settings_errors_in_one_line():
            services = stack.enter_context(open_services(Config.from_env()))
        yield services
