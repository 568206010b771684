"""The table that a model declares, in DynamoDB's terms, and how an existing table differs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask_pynamodb.app_model import AppModel
from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.shared_tables import (
    group_by_table,
    hash_first,
    merge_definitions,
    merge_indexes,
    merge_keys,
    merge_settings,
)
from flask_pynamodb.state import current_state

_Model = TypeVar("_Model", bound=type[AppModel])

_CREATED_WITH = (
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
    "StreamSpecification",
    "Tags",
)


class Drift(str):
    """One difference between a table and the declaration of its model, as a line of text.

    Attributes:
        blocks: Whether the app cannot work with this table. It can work with another billing mode,
            other tags, streams and recovery settings.
    """

    blocks: bool

    def __new__(cls, text: str, *, blocks: bool = True) -> "Drift":
        drift = super().__new__(cls, text)
        drift.blocks = blocks
        return drift


@dataclass(frozen=True)
class TableSpec:
    """A table as its model declares it.

    Attributes:
        request: The arguments of CreateTable.
        ttl_attribute: The attribute of the time to live, None without one.
        recovers: Whether point-in-time recovery is declared, None if the model does not declare it.
    """

    request: Mapping[str, Any]
    ttl_attribute: str | None
    recovers: bool | None

    @property
    def name(self) -> str:
        return str(self.request["TableName"])

    @property
    def indexes(self) -> dict[str, Mapping[str, Any]]:
        """The global secondary indexes by name."""
        return {
            index["IndexName"]: index for index in self.request.get("GlobalSecondaryIndexes", ())
        }

    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.request.get("Tags", ())}


@dataclass(frozen=True)
class TableState:
    """An existing table.

    Attributes:
        table: The response of DescribeTable, None if the table does not exist.
        ttl_attribute: The attribute of the time to live, None without one.
        recovers: Whether point-in-time recovery is on, None if the endpoint does not support it.
        tags: The tags.
    """

    table: Mapping[str, Any] | None
    ttl_attribute: str | None = None
    recovers: bool | None = None
    tags: Mapping[str, str] | None = None


def spec_of(*models: type[AppModel]) -> TableSpec:
    """Return a table as its models declare it, with the billing of the current app as the default.

    Raises:
        ConfigurationError: The declarations contradict each other.
    """
    meta = merge_settings(models)
    name = models[0].Meta.table_name
    billing = current_state(models[0]._db).bind(models[0].__bind_key__).billing_of(meta)
    capacity = {
        "ReadCapacityUnits": billing.get("read_capacity_units"),
        "WriteCapacityUnits": billing.get("write_capacity_units"),
    }
    is_provisioned = billing["billing_mode"] == "PROVISIONED"
    schemas = [model._get_schema() for model in models]
    request: dict[str, Any] = {
        "TableName": name,
        "KeySchema": merge_keys(name, [schema["key_schema"] for schema in schemas]),
        "AttributeDefinitions": merge_definitions(
            name, [schema["attribute_definitions"] for schema in schemas]
        ),
        "GlobalSecondaryIndexes": [
            _index(index, capacity if is_provisioned else None)
            for index in merge_indexes(
                name, [schema["global_secondary_indexes"] for schema in schemas]
            )
        ],
        "LocalSecondaryIndexes": [
            _index(index, None)
            for index in merge_indexes(
                name, [schema["local_secondary_indexes"] for schema in schemas]
            )
        ],
        "BillingMode": billing["billing_mode"],
        "ProvisionedThroughput": capacity if is_provisioned else None,
        "StreamSpecification": _stream(meta.get("stream_view_type")),
        "Tags": [{"Key": key, "Value": value} for key, value in meta.get("tags", {}).items()],
    }
    return TableSpec(
        {key: request[key] for key in _CREATED_WITH if request[key]},
        _ttl_attribute(models),
        meta.get("point_in_time_recovery"),
    )


def specs_of(models: Iterable[_Model]) -> Iterator[tuple[_Model, TableSpec]]:
    """Yield each table once, with the first of its models.

    Raises:
        ConfigurationError: The declarations of a table contradict each other.
    """
    for group in group_by_table(models):
        yield group[0], spec_of(*group)


def _ttl_attribute(models: Sequence[type[AppModel]]) -> str | None:
    found: list[Any] = [model._ttl_attribute() for model in models]  # type: ignore[no-untyped-call]
    names = dict.fromkeys(attribute.attr_name for attribute in found if attribute)
    if len(names) > 1:
        raise ConfigurationError(
            f"Two models declare different times to live for the table"
            f" {models[0].Meta.table_name}: {' and '.join(names)}."
        )
    return next(iter(names), None)


def find_drift(spec: TableSpec, found: TableState) -> Iterator[Drift]:
    """Return the differences between a table and the declaration of its model."""
    name, table = spec.name, found.table
    if table is None:
        yield Drift(f"table {name} is missing")
        return
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield Drift(f"table {name} is {table['TableStatus'].lower()}")
    if _keys(table) != _keys(spec.request):
        yield Drift(f"table {name} has the key {_keys(table)} instead of {_keys(spec.request)}")
    yield from _index_drift(spec, table)
    if spec.ttl_attribute and spec.ttl_attribute != found.ttl_attribute:
        yield Drift(f"table {name} lacks time to live on {spec.ttl_attribute}")
    for text in _minor_drift(spec, found, table):
        yield Drift(f"table {name} {text}", blocks=False)


def _minor_drift(spec: TableSpec, found: TableState, table: Mapping[str, Any]) -> Iterator[str]:
    mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if mode != spec.request["BillingMode"]:
        yield f"is billed {mode} instead of {spec.request['BillingMode']}"
    if spec.recovers and found.recovers is False:
        yield "lacks point-in-time recovery"
    if missing_stream(spec, found):
        yield f"lacks a stream of {spec.request['StreamSpecification']['StreamViewType']}"
    for key in missing_tags(spec, found):
        yield f"lacks the tag {key}={spec.tags[key]}"


def missing_stream(spec: TableSpec, found: TableState) -> bool:
    """Return whether the table lacks the declared stream."""
    specification = spec.request.get("StreamSpecification")
    table = found.table or {}
    return bool(specification) and table.get("StreamSpecification") != specification


def missing_tags(spec: TableSpec, found: TableState) -> list[str]:
    """Return the keys of declared tags that the table lacks or has with another value."""
    has = found.tags or {}
    return [key for key, value in spec.tags.items() if has.get(key) != value]


def _index_drift(spec: TableSpec, table: Mapping[str, Any]) -> Iterator[Drift]:
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        has = {index["IndexName"]: index for index in table.get(kind, ())}
        for index in spec.request.get(kind, ()):
            name, real = index["IndexName"], has.get(index["IndexName"])
            if real is None:
                yield Drift(f"table {spec.name} lacks the index {name}")
                continue
            here = f"index {name} of table {spec.name}"
            if _keys(real) != _keys(index):
                yield Drift(f"{here} has the key {_keys(real)} instead of {_keys(index)}")
            if _projection(real) != _projection(index):
                yield Drift(f"{here} holds {_projection(real)} instead of {_projection(index)}")


def _keys(described: Mapping[str, Any]) -> str:
    return "/".join(key["AttributeName"] for key in hash_first(described["KeySchema"]))


def _projection(index: Mapping[str, Any]) -> str:
    projection = index["Projection"]
    attributes = ", ".join(sorted(projection.get("NonKeyAttributes", ())))
    return f"{projection['ProjectionType']} {attributes}".strip()


def _index(index: Mapping[str, Any], capacity: Mapping[str, Any] | None) -> dict[str, Any]:
    request = {
        "IndexName": index["index_name"],
        "KeySchema": hash_first(index["key_schema"]),
        "Projection": index["projection"],
    }
    if capacity:
        request["ProvisionedThroughput"] = index.get("provisioned_throughput") or capacity
    return request


def _stream(view: str | None) -> dict[str, Any] | None:
    return {"StreamEnabled": True, "StreamViewType": view} if view else None
