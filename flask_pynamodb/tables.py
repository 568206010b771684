"""Create, check and drop the tables of an app. Every function is safe to repeat and to race."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import TableError

from flask_pynamodb.errors import unreadable_credentials
from flask_pynamodb.model import Model
from flask_pynamodb.shared_tables import group_by_table
from flask_pynamodb.table_spec import (
    Drift,
    TableSpec,
    TableState,
    find_drift,
    missing_stream,
    missing_tags,
    specs_of,
)

_POLL_SECONDS = 1.0
# Building an index of a large table takes hours on AWS; this is the maximum to wait.
_MAX_WAIT_SECONDS = 600.0
# The error codes for operations that an endpoint does not support, such as a local engine.
_UNKNOWN_OPERATION = ("UnknownOperationException", "UnsupportedOperation")


def create(models: Iterable[type[Model]]) -> list[str]:
    """See `PynamoDB.create_all`."""
    done: list[str] = []
    for model, spec in specs_of(models):
        with _table_errors(model):
            done += _create_one(_client(model), spec)
    return done


def check(models: Iterable[type[Model]]) -> list[Drift]:
    """See `PynamoDB.check_all`."""
    problems: list[Drift] = []
    for model, spec in specs_of(models):
        with _table_errors(model):
            problems += find_drift(spec, find(_client(model), spec))
    return problems


def drop(models: Iterable[type[Model]]) -> list[str]:
    """See `PynamoDB.drop_all`."""
    dropped = []
    for model, *_ in group_by_table(models):
        name = model.Meta.table_name
        with _table_errors(model):
            if _tolerate("ResourceNotFoundException", _client(model).delete_table, TableName=name):
                dropped.append(name)
    return dropped


def find(client: Any, spec: TableSpec) -> TableState:
    """Return the state of a table; only declared features are read."""
    name = {"TableName": spec.name}
    answer = _tolerate("ResourceNotFoundException", client.describe_table, **name)
    if answer is None:
        return TableState(None)
    table = answer["Table"]
    ttl_attribute = recovers = tags = None
    if spec.ttl_attribute:
        described = client.describe_time_to_live(**name)["TimeToLiveDescription"]
        if described["TimeToLiveStatus"] in ("ENABLED", "ENABLING"):
            ttl_attribute = described["AttributeName"]
    if spec.recovers:
        recovers = _recovers(client, spec.name)
    if spec.tags:
        listed = client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        tags = {tag["Key"]: tag["Value"] for tag in listed}
    return TableState(table, ttl_attribute, recovers, tags)


def _create_one(client: Any, spec: TableSpec) -> list[str]:
    found = find(client, spec)
    if found.table is None:
        answer = _tolerate("ResourceInUseException", client.create_table, **spec.request)
        if answer is not None:
            _complete_new(client, spec, answer["TableDescription"])
            return [f"created {spec.name}"]
        # Another host creates the table at the same time.
        _wait(client, spec.name)
        found = find(client, spec)
    return list(_complete(client, spec, found))


def _complete_new(client: Any, spec: TableSpec, table: Mapping[str, Any]) -> None:
    """Add the features that CreateTable does not take."""
    if not _is_active(table):
        _wait(client, spec.name)
    recovers = _recovers(client, spec.name) if spec.recovers else None
    list(_complete(client, spec, TableState(table, recovers=recovers, tags=spec.tags)))


def _complete(client: Any, spec: TableSpec, found: TableState) -> Iterator[str]:
    name = {"TableName": spec.name}
    has = {index["IndexName"] for index in (found.table or {}).get("GlobalSecondaryIndexes", ())}
    for index_name in spec.indexes.keys() - has:
        if _update(client, spec, _new_index(spec, index_name)):
            yield f"added the index {index_name} to {spec.name}"
    if missing_stream(spec, found):
        stream = {"StreamSpecification": spec.request["StreamSpecification"]}
        if _update(client, spec, stream):
            yield f"added a stream to {spec.name}"
    if spec.ttl_attribute and found.ttl_attribute is None:
        specification = {"Enabled": True, "AttributeName": spec.ttl_attribute}
        # ValidationException: another host has enabled it at the same time.
        if _tolerate(
            "ValidationException",
            client.update_time_to_live,
            TimeToLiveSpecification=specification,
            **name,
        ):
            yield f"set time to live on {spec.name}"
    if spec.recovers and found.recovers is False:
        client.update_continuous_backups(
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}, **name
        )
        yield f"turned point-in-time recovery on for {spec.name}"
    if missing := missing_tags(spec, found):
        tags = [{"Key": key, "Value": spec.tags[key]} for key in missing]
        client.tag_resource(ResourceArn=(found.table or {})["TableArn"], Tags=tags)
        yield f"tagged {spec.name}"


def _new_index(spec: TableSpec, name: str) -> dict[str, Any]:
    return {
        "AttributeDefinitions": spec.request["AttributeDefinitions"],
        "GlobalSecondaryIndexUpdates": [{"Create": spec.indexes[name]}],
    }


def _update(client: Any, spec: TableSpec, change: dict[str, Any]) -> bool:
    """Update a table; DynamoDB accepts one new index per request.

    ResourceInUseException and ValidationException mean that another host makes the same change.
    """
    request = {"TableName": spec.name, **change}
    answer = _tolerate("ResourceInUseException ValidationException", client.update_table, **request)
    _wait(client, spec.name)
    return answer is not None


def _wait(client: Any, name: str) -> None:
    deadline = time.monotonic() + _MAX_WAIT_SECONDS
    while time.monotonic() < deadline:
        if _is_active(client.describe_table(TableName=name)["Table"]):
            return
        time.sleep(_POLL_SECONDS)
    raise TableError(f"Table {name} is not active after {_MAX_WAIT_SECONDS:.0f} seconds.")


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
    """Return the response of a call, None for an error with one of the codes."""
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
    except OSError as error:
        raise unreadable_credentials(error) from error
    except (BotoCoreError, ClientError) as error:
        raise TableError(f"Table {model.Meta.table_name}: {error}", error) from error
