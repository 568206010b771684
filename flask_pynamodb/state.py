"""What belongs to one app: its databases, and its models' tables on them."""

import threading
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app
from pynamodb.connection.base import MetaTable

from flask_pynamodb.connection import AppConnection, AppTable
from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.settings import CONNECTION_KEYS, Bind, read_binds

if TYPE_CHECKING:
    from flask_pynamodb.extension import PynamoDB
    from flask_pynamodb.model import Model


class AppState:
    """The state of the extension in one app; connections are made when they are first needed.

    Args:
        database: The extension object.
        app: The app, with all its settings.

    Raises:
        ConfigurationError: Settings are wrong or contradict each other.
    """

    def __init__(self, database: "PynamoDB", app: Flask) -> None:
        self.database = database
        self.allows_scan: bool | None = app.config["DYNAMODB_ALLOW_SCAN"]
        self._binds = read_binds(app.config)
        self._lock = threading.Lock()
        self._connections: dict[str | None, AppConnection] = {}
        self._tables: dict[type[Model], AppTable] = {}

    def bind(self, key: str | None) -> Bind:
        """The settings of one of the app's databases.

        Raises:
            ConfigurationError: The app has no such database.
        """
        try:
            return self._binds[key]
        except KeyError:
            raise ConfigurationError(
                f"A model has the bind key {key!r}, which DYNAMODB_BINDS does not define."
            ) from None

    def connection(self, key: str | None = None) -> AppConnection:
        """The connection to one of the app's databases."""
        connection = self._connections.get(key)
        if connection is None:
            settings = self.bind(key).connection
            with self._lock:
                connection = self._connections.setdefault(key, AppConnection(**settings))
        return connection

    def table(self, model: "type[Model]") -> AppTable:
        """A model's table."""
        table = self._tables.get(model)
        if table is None:
            made = self._connect(model)
            with self._lock:
                table = self._tables.setdefault(model, made)
        return table

    def _connect(self, model: "type[Model]") -> AppTable:
        key = model.__bind_key__
        chosen: dict[str, Any] = model.Meta.chosen  # type: ignore[attr-defined]
        own = {name: chosen[name] for name in CONNECTION_KEYS if name in chosen}
        connection = self.connection(key)
        if own:
            connection = AppConnection(**{**self.bind(key).connection, **own})
        schema = model._get_schema()
        return AppTable(
            connection,
            MetaTable(
                {
                    "TableName": self.bind(key).table_name(model.Meta.base_table_name),
                    "KeySchema": schema["key_schema"],
                    "AttributeDefinitions": schema["attribute_definitions"],
                    "GlobalSecondaryIndexes": _keys_of(schema["global_secondary_indexes"]),
                    "LocalSecondaryIndexes": _keys_of(schema["local_secondary_indexes"]),
                }
            ),
        )


def current_state() -> AppState:
    """The state of the current app.

    Raises:
        RuntimeError: There is no app context, or the app has no extension.
    """
    try:
        # Each use of the proxy looks the context up again.
        app = current_app._get_current_object()  # type: ignore[attr-defined]
    except RuntimeError:
        raise RuntimeError(
            "DynamoDB was used outside of an app context. Wrap the code in"
            " `with app.app_context():`."
        ) from None
    state: AppState | None = app.extensions.get("pynamodb")
    if state is None:
        raise RuntimeError("This app has no PynamoDB extension. Call db.init_app(app) first.")
    return state


def _keys_of(indexes: Any) -> list[dict[str, Any]]:
    return [
        {"IndexName": index["index_name"], "KeySchema": index["key_schema"]} for index in indexes
    ]
