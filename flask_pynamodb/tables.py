"""Make, check and drop the tables of an app. Every function is safe to repeat and to race."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import TableError

from flask_pynamodb.model import Model
from flask_pynamodb.table_spec import (
    Declared,
    Difference,
    Found,
    declared,
    differences,
    missing_stream,
    missing_tags,
)

_POLL_SECONDS = 1.0
# Building an index over a large table takes hours on AWS; set-up does not wait for ever.
_LONGEST_WAIT_SECONDS = 600.0
# What an endpoint answers that does not know an operation, as small engines do.
_UNKNOWN_OPERATION = ("UnknownOperationException", "UnsupportedOperation")


def create(models: Iterable[type[Model]]) -> list[str]:
    """See `PynamoDB.create_all`."""
    done: list[str] = []
    for model in models:
        with _table_errors(model):
            done += _create_one(_client(model), declared(model))
    return done


def check(models: Iterable[type[Model]]) -> list[Difference]:
    """See `PynamoDB.check_all`."""
    problems: list[Difference] = []
    for model in models:
        with _table_errors(model):
            wanted = declared(model)
            problems += differences(wanted, find(_client(model), wanted))
    return problems


def drop(models: Iterable[type[Model]]) -> list[str]:
    """See `PynamoDB.drop_all`."""
    dropped = []
    for model in models:
        name = model.Meta.table_name
        with _table_errors(model):
            if _tolerate("ResourceNotFoundException", _client(model).delete_table, TableName=name):
                dropped.append(name)
    return dropped


def find(client: Any, wanted: Declared) -> Found:
    """A table as it is; only what the model declares is asked for."""
    name = {"TableName": wanted.name}
    answer = _tolerate("ResourceNotFoundException", client.describe_table, **name)
    if answer is None:
        return Found(None)
    table = answer["Table"]
    expires_by = recovers = tags = None
    if wanted.expires_by:
        described = client.describe_time_to_live(**name)["TimeToLiveDescription"]
        if described["TimeToLiveStatus"] in ("ENABLED", "ENABLING"):
            expires_by = described["AttributeName"]
    if wanted.recovers:
        recovers = _recovers(client, wanted.name)
    if wanted.tags:
        listed = client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in listed}
    return Found(table, expires_by, recovers, tags)


def _create_one(client: Any, wanted: Declared) -> list[str]:
    found = find(client, wanted)
    if found.table is None:
        answer = _tolerate("ResourceInUseException", client.create_table, **wanted.request)
        if answer is not None:
            _complete_new(client, wanted, answer["TableDescription"])
            return [f"made {wanted.name}"]
        # Another host was faster; waiting for its table is as good as having made it.
        _wait(client, wanted.name)
        found = find(client, wanted)
    return list(_complete(client, wanted, found))


def _complete_new(client: Any, wanted: Declared, table: Mapping[str, Any]) -> None:
    """Add what CreateTable cannot; what it can is not requested again."""
    if not _is_active(table):
        _wait(client, wanted.name)
    recovers = _recovers(client, wanted.name) if wanted.recovers else None
    list(_complete(client, wanted, Found(table, recovers=recovers, tags=wanted.tags)))


def _complete(client: Any, wanted: Declared, found: Found) -> Iterator[str]:
    name = {"TableName": wanted.name}
    has = {index["IndexName"] for index in (found.table or {}).get("GlobalSecondaryIndexes", ())}
    for index_name in wanted.indexes.keys() - has:
        if _update(client, wanted, _new_index(wanted, index_name)):
            yield f"added the index {index_name} to {wanted.name}"
    if missing_stream(wanted, found):
        stream = {"StreamSpecification": wanted.request["StreamSpecification"]}
        if _update(client, wanted, stream):
            yield f"added a stream to {wanted.name}"
    if wanted.expires_by and found.expires_by is None:
        specification = {"Enabled": True, "AttributeName": wanted.expires_by}
        # ValidationException: another host has just enabled it.
        if _tolerate(
            "ValidationException",
            client.update_time_to_live,
            TimeToLiveSpecification=specification,
            **name,
        ):
            yield f"set time to live on {wanted.name}"
    if wanted.recovers and found.recovers is False:
        client.update_continuous_backups(
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}, **name
        )
        yield f"turned point-in-time recovery on for {wanted.name}"
    if missing := missing_tags(wanted, found):
        tags = [{"Key": key, "Value": wanted.tags[key]} for key in missing]
        client.tag_resource(ResourceArn=(found.table or {})["TableArn"], Tags=tags)
        yield f"tagged {wanted.name}"


def _new_index(wanted: Declared, name: str) -> dict[str, Any]:
    return {
        "AttributeDefinitions": wanted.request["AttributeDefinitions"],
        "GlobalSecondaryIndexUpdates": [{"Create": wanted.indexes[name]}],
    }


def _update(client: Any, wanted: Declared, change: dict[str, Any]) -> bool:
    """One UpdateTable; DynamoDB takes a single new index at a time.

    ResourceInUseException and ValidationException mean that another host makes this change.
    """
    request = {"TableName": wanted.name, **change}
    answer = _tolerate("ResourceInUseException ValidationException", client.update_table, **request)
    _wait(client, wanted.name)
    return answer is not None


def _wait(client: Any, name: str) -> None:
    give_up = time.monotonic() + _LONGEST_WAIT_SECONDS
    while time.monotonic() < give_up:
        if _is_active(client.describe_table(TableName=name)["Table"]):
            return
        time.sleep(_POLL_SECONDS)
    raise TableError(f"Table {name} is not active after {_LONGEST_WAIT_SECONDS:.0f} seconds.")


def _is_active(table: Mapping[str, Any]) -> bool:
    indexes = table.get("GlobalSecondaryIndexes", ())
    return {table["TableStatus"], *(index["IndexStatus"] for index in indexes)} == {"ACTIVE"}


def _recovers(client: Any, name: str) -> bool | None:
    answer = _tolerate(
        " ".join(_UNKNOWN_OPERATION), client.describe_continuous_backups, TableName=name
    )
    if answer is None:
        return None
    described = answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    return bool(described["PointInTimeRecoveryStatus"] == "ENABLED")


def _tolerate(codes: str, call: Callable[..., Any], **arguments: Any) -> Any:
    """The answer of a call, None for an error that means it is no longer needed."""
    try:
        return call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in codes.split():
            return None
        raise


def _client(model: type[Model]) -> Any:
    return model._get_connection().connection.client


@contextmanager
def _table_errors(model: type[Model]) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise TableError(f"Table {model.Meta.table_name}: {error}", error) from error
