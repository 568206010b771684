"""Make, check and drop the tables of an app. Every function is safe to repeat and to race."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import TableDoesNotExist, TableError

from flask_pynamodb.model import Model


def create(models: Iterable[type[Model]], billing: dict[str, Any]) -> list[str]:
    """Make the tables that are missing and wait until they can be used.

    Returns:
        The names of the tables that were made by this call.
    """
    made = []
    for model in models:
        if model.exists():
            continue
        try:
            model.create_table(wait=True, **_billing_of(model, billing))
            made.append(model.Meta.table_name)
        except TableError as error:
            # Another host was faster; waiting for its table is the same as having made it.
            if error.cause_response_code != "ResourceInUseException":
                raise
            model.create_table(wait=True, ignore_update_ttl_errors=True)
    return made


def check(models: Iterable[type[Model]]) -> list[str]:
    """What is missing, a line each; an empty list means that the tables can be used."""
    return [problem for model in models for problem in _check_one(model)]


def drop(models: Iterable[type[Model]]) -> list[str]:
    """Delete the tables and everything in them.

    Returns:
        The names of the tables that were there.
    """
    dropped = []
    for model in models:
        try:
            model.delete_table()
            dropped.append(model.Meta.table_name)
        except TableError as error:
            if error.cause_response_code != "ResourceNotFoundException":
                raise
    return dropped


def _billing_of(model: type[Model], billing: dict[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = model.Meta.chosen  # type: ignore[attr-defined]
    return {key: value for key, value in billing.items() if key not in chosen}


def _check_one(model: type[Model]) -> list[str]:
    name = model.Meta.table_name
    try:
        table = model.describe_table()
    except TableDoesNotExist:
        return [f"table {name} is missing"]
    problems = []
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        problems.append(f"table {name} is {table['TableStatus'].lower()}")
    indexes = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", ())}
    indexes |= {index["IndexName"] for index in table.get("LocalSecondaryIndexes", ())}
    problems += [
        f"table {name} lacks the index {index}" for index in model._indexes if index not in indexes
    ]
    if not _expires_as_declared(model):
        problems.append(f"table {name} lacks time to live")
    return problems


def _expires_as_declared(model: type[Model]) -> bool:
    attribute = model._ttl_attribute()  # type: ignore[no-untyped-call]
    if attribute is None:
        return True
    try:
        connection = model._get_connection().connection
        answer = connection.client.describe_time_to_live(TableName=model.Meta.table_name)
    except ClientError as error:
        raise TableError(f"Unable to describe time to live: {error}", error) from error
    described = answer["TimeToLiveDescription"]
    return bool(described.get("AttributeName") == attribute.attr_name)
