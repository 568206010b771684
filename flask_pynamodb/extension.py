"""PynamoDB: the extension object. One per project, any number of apps."""

import random
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask, current_app
from pynamodb.connection.base import Connection, MetaTable
from pynamodb.exceptions import GetError

from flask_pynamodb import tables
from flask_pynamodb.cli import dynamodb
from flask_pynamodb.connection import AppConnection, AppTable
from flask_pynamodb.model import Model, make_base
from flask_pynamodb.settings import (
    CONNECTION_KEYS,
    DEFAULTS,
    TRANSPORTS,
    connection_settings,
    table_settings,
)
from flask_pynamodb.transaction import Transaction

_BATCH_TRIES = 6
# A key of each type that no item has.
_ABSENT: dict[str, Any] = {"S": "flask-pynamodb-ping", "N": "-1", "B": b"flask-pynamodb-ping"}


class _AppState:
    """What belongs to one app: its connections, made when they are first needed."""

    def __init__(self, database: "PynamoDB", settings: dict[str, Any]) -> None:
        self.database = database
        self.settings = settings
        self.lock = threading.Lock()
        self.connection = AppConnection(**settings)
        self.tables: dict[type[Model], AppTable] = {}


class PynamoDB:
    """Binds PynamoDB models to Flask apps.

    Settings, all from `app.config`, all with `setdefault`:

    ==================================== =====================================================
    `DYNAMODB_REGION`                    None: as botocore finds it
    `DYNAMODB_HOST`                      None: AWS; else an endpoint URL
    `DYNAMODB_CONNECT_TIMEOUT_SECONDS`   15
    `DYNAMODB_READ_TIMEOUT_SECONDS`      30
    `DYNAMODB_BASE_BACKOFF_MS`           25, first wait after a conflict; doubles, with jitter
    `DYNAMODB_MAX_RETRY_ATTEMPTS`        3, on top of the first try
    `DYNAMODB_MAX_POOL_CONNECTIONS`      10 kept-alive connections
    `DYNAMODB_EXTRA_HEADERS`             None: a mapping sent with each request
    `DYNAMODB_AWS_ACCESS_KEY_ID`         None: botocore's credential chain
    `DYNAMODB_AWS_SECRET_ACCESS_KEY`     None
    `DYNAMODB_AWS_SESSION_TOKEN`         None
    `DYNAMODB_READ_CAPACITY_UNITS`       None: tables on demand; a number: provisioned
    `DYNAMODB_WRITE_CAPACITY_UNITS`      None
    `DYNAMODB_TABLE_PREFIX`              "": put before every table name
    `DYNAMODB_BILLING_MODE`              None: follows the capacity units
    `DYNAMODB_TRANSPORT`                 "botocore"
    ==================================== =====================================================

    A value in a model's own `Meta` wins over the app's.

    Example:
        >>> db = PynamoDB()
        >>> class Todo(db.Model):
        ...     id = UnicodeAttribute(hash_key=True)
        >>> db.init_app(app)
    """

    def __init__(self, app: Flask | None = None) -> None:
        self.models: list[type[Model]] = []
        self.Model: Any = make_base(self)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with an app; no connection is made yet.

        Raises:
            RuntimeError: The app has a PynamoDB extension already, or settings contradict.
        """
        if "pynamodb" in app.extensions:
            raise RuntimeError(
                "This app already has a PynamoDB extension. Import and use that one,"
                " or give the other one its own app."
            )
        for key, default in DEFAULTS.items():
            app.config.setdefault(key, default)
        if app.config["DYNAMODB_TRANSPORT"] not in TRANSPORTS:
            raise RuntimeError(f"DYNAMODB_TRANSPORT must be one of {', '.join(TRANSPORTS)}.")
        table_settings(app.config)
        app.extensions["pynamodb"] = _AppState(self, connection_settings(app.config))
        if dynamodb.name not in app.cli.commands:
            app.cli.add_command(dynamodb)

    @property
    def connection(self) -> Connection:
        """The current app's low-level connection."""
        return self._state().connection

    def transaction(self) -> Transaction:
        """Start a transaction: writes inside its `with` block all happen or none."""
        backoff = current_app.config["DYNAMODB_BASE_BACKOFF_MS"]
        return Transaction(self._state().connection, base_backoff_ms=backoff)

    def get_many(self, *keys: tuple[Any, ...], consistent_read: bool = True) -> list[Any]:
        """Read items of several tables in one round trip.

        Args:
            keys: `(Model, hash_key)` or `(Model, hash_key, range_key)`; 100 at the most.
            consistent_read: Whether every acknowledged write must be seen.

        Returns:
            The items in the order of the keys, None for each that is absent.
        """
        wanted: dict[str, Any] = {}
        raw_keys: list[tuple[type[Model], dict[str, Any]]] = []
        for model, *parts in keys:
            table = self.table_of(model)
            key = table.get_meta_table().get_identifier_map(*model._serialize_keys(*parts))["Key"]
            request = wanted.setdefault(
                table.table_name, {"Keys": [], "ConsistentRead": consistent_read}
            )
            request["Keys"].append(key)
            raw_keys.append((model, key))
        found = self._batch_get(wanted)
        return [
            next(
                (
                    model.from_raw_data(item)
                    for item in found.get(self.table_of(model).table_name, ())
                    if all(item[name] == value for name, value in key.items())
                ),
                None,
            )
            for model, key in raw_keys
        ]

    def ping(self) -> None:
        """Read one absent key of every table in one round trip.

        Raises:
            GetError: DynamoDB or a table is out of reach.
        """
        wanted = {}
        for model in self.models:
            keys = self.table_of(model).get_meta_table()
            names = filter(None, (keys.hash_keyname, keys.range_keyname))
            types = {name: keys.get_attribute_type(name) for name in names}
            absent = {name: {kind: _ABSENT[kind]} for name, kind in types.items()}
            wanted[model.Meta.table_name] = {"Keys": [absent]}
        self._batch_get(wanted)

    def missing_access(self) -> list[str]:
        """What the current app lacks to reach DynamoDB at all, a line each; asks no table."""
        connection = self._state().connection
        missing = []
        if not connection.region and not connection.session.get_config_variable("region"):
            missing.append("no region: set DYNAMODB_REGION, AWS_REGION or one in ~/.aws/config")
        if connection.session.get_credentials() is None:
            missing.append(
                "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a"
                " role (DynamoDB Local takes any values)"
            )
        return missing

    def create_all(self) -> list[str]:
        """Make the missing tables; returns the names of those that were made."""
        return tables.create(self.models, table_settings(current_app.config))

    def check_all(self) -> list[str]:
        """What the tables lack, a line each; an empty list means nothing."""
        return tables.check(self.models)

    def drop_all(self) -> list[str]:
        """Delete all tables of the models; returns the names of those that were there."""
        return tables.drop(self.models)

    def table_of(self, model: type[Model]) -> AppTable:
        """The current app's connection to a model's table."""
        state = self._state()
        table = state.tables.get(model)
        if table is None:
            with state.lock:
                table = state.tables.get(model) or self._connect(state, model)
                state.tables[model] = table
        return table

    def _connect(self, state: _AppState, model: type[Model]) -> AppTable:
        chosen = model.Meta.chosen  # type: ignore[attr-defined]
        own = {key: chosen[key] for key in CONNECTION_KEYS if key in chosen}
        connection = AppConnection(**{**state.settings, **own}) if own else state.connection
        schema = model._get_schema()
        return AppTable(
            connection,
            MetaTable(
                {
                    "TableName": model.Meta.table_name,
                    "KeySchema": schema["key_schema"],
                    "AttributeDefinitions": schema["attribute_definitions"],
                    "GlobalSecondaryIndexes": _index_keys(schema["global_secondary_indexes"]),
                    "LocalSecondaryIndexes": _index_keys(schema["local_secondary_indexes"]),
                }
            ),
        )

    def _state(self) -> _AppState:
        if not current_app:
            raise RuntimeError(
                "DynamoDB was used outside of an app context."
                " Wrap the code in `with app.app_context():`."
            )
        state = current_app.extensions.get("pynamodb")
        if state is None:
            raise RuntimeError("This app has no PynamoDB extension. Call db.init_app(app) first.")
        return state  # type: ignore[no-any-return]

    def _batch_get(self, wanted: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        connection = self._state().connection
        found: dict[str, list[dict[str, Any]]] = {}
        for attempt in range(_BATCH_TRIES):
            try:
                answer = connection.dispatch("BatchGetItem", {"RequestItems": wanted})
            except (BotoCoreError, ClientError) as error:
                raise GetError(f"Failed to get items: {error}", error) from error
            for name, items in answer["Responses"].items():
                found.setdefault(name, []).extend(items)
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
            # Jitter only has to differ from host to host; it guards nothing.
            time.sleep(random.random() * 0.025 * 2**attempt)  # nosec B311
        throttled = {"Error": {"Code": "ThrottlingException", "Message": "keys left unprocessed"}}
        raise GetError(
            "DynamoDB left some keys unprocessed.", ClientError(throttled, "BatchGetItem")
        )


def _index_keys(indexes: Any) -> list[dict[str, Any]]:
    return [
        {"IndexName": index["index_name"], "KeySchema": index["key_schema"]} for index in indexes
    ]
