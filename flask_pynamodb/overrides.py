"""Other settings for an app for a while, as in tests and scripts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask

from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.settings import SETTINGS
from flask_pynamodb.state import AppState


@contextmanager
def override(app: Flask, **settings: Any) -> Iterator[PynamoDB]:
    """Replace `DYNAMODB_` settings of an app inside the `with` block.

    Inside, the app has connections of its own; afterwards it has its former ones.

    Args:
        app: An app with the extension.
        settings: Keys of `app.config` that the extension declares.

    Raises:
        ConfigurationError: A key is not a setting, or a value is invalid.
    """
    unknown = sorted(settings.keys() - SETTINGS.keys())
    if unknown:
        raise ConfigurationError(f"These are not settings of DynamoDB: {', '.join(unknown)}.")
    own_state: AppState = app.extensions["pynamodb"]
    own_settings = {key: app.config[key] for key in SETTINGS}
    state = AppState(own_state.database, {**app.config, **settings})
    database: Any = own_state.database
    _replace(app, own_state, state, state.settings)
    try:
        yield database
    finally:
        _replace(app, state, own_state, own_settings)


def _replace(app: Flask, before: AppState, after: AppState, settings: Mapping[str, Any]) -> None:
    app.config.update(settings)
    app.extensions["pynamodb"] = after
    # Outside of any context the models use the app that the extension was created with.
    if after.database._own_state is before:
        after.database._own_state = after
