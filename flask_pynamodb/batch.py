"""Read items of several tables in one round trip, which PynamoDB's models cannot do."""

import random
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection.base import Connection
from pynamodb.exceptions import GetError

from flask_pynamodb.app_model import AppModel
from flask_pynamodb.keys import Key, identity

# Table name, and identity of the key.
Place = tuple[str, tuple[Any, ...]]

# DynamoDB's limit of the keys in one request.
_MAX_BATCH = 100
# Unprocessed keys are requested again, after delays that double from 25 ms.
_ATTEMPTS = 6
_FIRST_DELAY_SECONDS = 0.025
# A key of each type that does not exist.
_ABSENT: dict[str, Any] = {"S": "flask-pynamodb-ping", "N": "-1", "B": b"flask-pynamodb-ping"}


def get_many(keys: Sequence[tuple[Any, ...]], *, consistent_read: bool) -> list[Any]:
    """See `PynamoDB.get_many`."""
    wanted: dict[Connection, dict[Place, Key]] = {}
    places: list[tuple[type[AppModel], Connection, Place]] = []
    for model, *parts in keys:
        connection, place, key = place_of(model, parts)
        wanted.setdefault(connection, {}).setdefault(place, key)
        places.append((model, connection, place))
    found = {
        connection: _read_places(connection, requested, consistent_read)
        for connection, requested in wanted.items()
    }
    return [_load(model, found[connection].get(place)) for model, connection, place in places]


def place_of(model: type[AppModel], parts: Sequence[Any]) -> tuple[Connection, Place, Key]:
    """Return where an item is: its connection, its table with its identity, and its key."""
    table: Any = model._get_connection()
    keys = table.get_meta_table()
    key: Key = keys.get_identifier_map(*model._serialize_keys(*parts))["Key"]
    return table.connection, (table.table_name, identity(key, tuple(key))), key


def ping(models: Iterable[type[AppModel]]) -> None:
    """See `PynamoDB.ping`."""
    wanted: dict[Any, dict[str, Any]] = {}
    for model in models:
        table = model._get_connection()
        keys = table.get_meta_table()
        names = filter(None, (keys.hash_keyname, keys.range_keyname))
        absent = {name: _absent(keys.get_attribute_type(name)) for name in names}
        wanted.setdefault(table.connection, {})[table.table_name] = {"Keys": [absent]}
    for connection, request in wanted.items():
        _read(connection, request)


def _read_places(
    connection: Connection, keys: dict[Place, Key], consistent_read: bool
) -> dict[Place, dict[str, Any]]:
    """Read the items of different keys, by their places, in as few requests as possible."""
    found: dict[Place, dict[str, Any]] = {}
    remaining = iter(keys.items())
    while batch := list(islice(remaining, _MAX_BATCH)):
        names: dict[str, tuple[str, ...]] = {}
        wanted: dict[str, Any] = {}
        for (table, _), key in batch:
            names[table] = tuple(key)
            request = wanted.setdefault(table, {"Keys": [], "ConsistentRead": consistent_read})
            request["Keys"].append(key)
        for table, items in _read(connection, wanted).items():
            found.update(((table, identity(item, names[table])), item) for item in items)
    return found


def _load(model: type[AppModel], item: dict[str, Any] | None) -> Any:
    return None if item is None else model.from_raw_data(item)


def _absent(attribute_type: str) -> dict[str, Any]:
    return {attribute_type: _ABSENT[attribute_type]}


def _read(connection: Connection, wanted: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for attempt in range(_ATTEMPTS):
        try:
            answer = connection.dispatch("BatchGetItem", {"RequestItems": wanted})
        except (BotoCoreError, ClientError) as error:
            raise GetError(f"Failed to get items: {error}", error) from error
        for name, items in answer["Responses"].items():
            found.setdefault(name, []).extend(items)
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return found
        # Jitter only has to differ between hosts; it has no security purpose.
        time.sleep(random.random() * _FIRST_DELAY_SECONDS * 2**attempt)  # nosec B311
    throttled = {"Error": {"Code": "ThrottlingException", "Message": "keys left unprocessed"}}
    raise GetError("DynamoDB left some keys unprocessed.", ClientError(throttled, "BatchGetItem"))
