"""The state of the extension in one app: its databases and the tables of its models."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, cast

from flask import current_app, has_app_context
from pynamodb.connection.base import MetaTable

from flask_pynamodb.app_model import AppModel, chosen_in
from flask_pynamodb.binds import Bind, read_binds, read_max_recorded_calls
from flask_pynamodb.connection import AppConnection, AppTable
from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.setting_values import read_settings
from flask_pynamodb.settings import CONNECTION_KEYS

# The bind key of all databases, the main one included, as in Flask-SQLAlchemy.
ALL_BINDS = "__all__"


class Database(Protocol):
    """The extension object.

    Attributes:
        models: Its models.
        _own_state: The state of the app that it was created with, if any.
    """

    models: list[Any]
    _own_state: "AppState | None"


class AppState:
    """The state of the extension in one app; connections are opened at first use.

    Args:
        database: The extension object.
        config: The configuration of the app; missing settings have their defaults.

    Attributes:
        settings: The values of all settings by the keys of `app.config`, each in its type.

    Raises:
        ConfigurationError: Settings are invalid or contradict each other.
    """

    def __init__(self, database: Database, config: Mapping[str, Any]) -> None:
        self.database = database
        self.settings = read_settings(config)
        self.allows_scan: bool | None = self.settings["DYNAMODB_ALLOW_SCAN"]
        self._binds = read_binds(self.settings)
        self._max_recorded_calls = read_max_recorded_calls(
            self.settings, is_debugged=bool(config.get("DEBUG"))
        )
        self._lock = threading.Lock()
        self._connections: dict[str | None, AppConnection] = {}
        # Connections of models whose Meta has connection settings, with bind key and settings.
        self._own_connections: list[tuple[str | None, dict[str, Any], AppConnection]] = []
        self._tables: dict[type[AppModel], AppTable] = {}

    def __getitem__(self, name: str) -> Any:
        """Return `connection` or `db`, as Flask-PynamoDB's `app.extensions["pynamodb"]` does."""
        if name == "connection":
            return self.connection()
        if name == "db":
            return self.database
        raise KeyError(name)

    def bind(self, key: str | None) -> Bind:
        """Return the settings of one of the app's databases.

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
        """Return the connection to one of the app's databases."""
        connection = self._connections.get(key)
        if connection is None:
            created = self._create_connection(key)
            with self._lock:
                connection = self._connections.setdefault(key, created)
        return connection

    def table(self, model: type[AppModel]) -> AppTable:
        """Return the table of a model."""
        table = self._tables.get(model)
        if table is None:
            connected = self._connect(model)
            with self._lock:
                table = self._tables.setdefault(model, connected)
        return table

    def _connect(self, model: type[AppModel]) -> AppTable:
        key = model.__bind_key__
        if vars(model).get("__abstract__"):
            raise TypeError(f"{model.__name__} is abstract: it has no table.")
        chosen = chosen_in(model)
        own = {name: chosen[name] for name in CONNECTION_KEYS if name in chosen}
        connection = self._own_connection(key, own) if own else self.connection(key)
        schema = model._get_schema()
        bind = self.bind(key)
        return AppTable(
            connection,
            MetaTable(
                {
                    "TableName": bind.table_name(model._base_table_name(bind.values)),
                    "KeySchema": schema["key_schema"],
                    "AttributeDefinitions": schema["attribute_definitions"],
                    "GlobalSecondaryIndexes": _keys_of(schema["global_secondary_indexes"]),
                    "LocalSecondaryIndexes": _keys_of(schema["local_secondary_indexes"]),
                }
            ),
        )

    def _own_connection(self, key: str | None, own: dict[str, Any]) -> AppConnection:
        """Return the connection of all models with these settings in their Meta."""
        with self._lock:
            for other_key, settings, connection in self._own_connections:
                if (other_key, settings) == (key, own):
                    return connection
            connection = self._create_connection(key, **own)
            self._own_connections.append((key, own, connection))
            return connection

    def _create_connection(self, key: str | None, **own: Any) -> AppConnection:
        settings = {**self.bind(key).connection, **own}
        return AppConnection(
            **settings,
            is_traced=self.settings["DYNAMODB_TRACING"],
            max_recorded_calls=self._max_recorded_calls,
        )


class Standalone:
    """A database for code that runs without a Flask app, such as a worker or a command.

    `PynamoDB.standalone` makes one. Like an app it may be used by any number of threads, each
    inside a `context()` of its own; all of them share its connections.
    """

    def __init__(self, state: AppState) -> None:
        self._state = state

    @contextmanager
    def context(self) -> Iterator[None]:
        """Bind the models to this database inside the `with` block, even inside an app context."""
        before = _standalone.set(self._state)
        try:
            yield
        finally:
            _standalone.reset(before)


_standalone: ContextVar[AppState | None] = ContextVar("flask_pynamodb.standalone", default=None)


def find_state(database: Database | None) -> AppState | None:
    """Return the current state as `current_state` does, or None if there is none."""
    state = _standalone.get()
    if state is None and has_app_context():
        return current_app.extensions.get("pynamodb")
    if state is None and database is not None:
        state = database._own_state
    return state


def current_state(database: Database | None = None) -> AppState:
    """Return the state of the current standalone database or app.

    Args:
        database: The extension object, whose own app counts outside of any context.

    Raises:
        RuntimeError: There is no such context or app, or the app has no extension.
    """
    standalone = _standalone.get()
    if standalone is not None:
        return standalone
    try:
        # Each use of the proxy looks the context up again.
        app = cast(Any, current_app)._get_current_object()
    except RuntimeError:
        if database is not None and database._own_state is not None:
            return database._own_state
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
