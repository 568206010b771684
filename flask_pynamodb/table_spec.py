"""What a model declares of its table, in DynamoDB's words, and how a real table differs from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_pynamodb.state import current_state

if TYPE_CHECKING:
    from flask_pynamodb.model import Model

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


class Difference(str):
    """One line that says how a table differs from what its model declares.

    Attributes:
        blocks: Whether the app cannot work with the table as it is. Billing, tags, streams and
            recovery are for people to see to.
    """

    blocks: bool

    def __new__(cls, text: str, *, blocks: bool = True) -> "Difference":
        difference = super().__new__(cls, text)
        difference.blocks = blocks
        return difference


@dataclass(frozen=True)
class Declared:
    """A table as its model wants it.

    Attributes:
        request: The arguments of CreateTable.
        expires_by: The attribute of the time to live, None without one.
        recovers: Whether point-in-time recovery is wanted, None where the model does not say.
    """

    request: Mapping[str, Any]
    expires_by: str | None
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
class Found:
    """A table as it is.

    Attributes:
        table: The answer of DescribeTable, None if there is no table.
        expires_by: The attribute of the time to live, None without one.
        recovers: Whether point-in-time recovery is on, None where the endpoint cannot say.
        tags: Its tags.
    """

    table: Mapping[str, Any] | None
    expires_by: str | None = None
    recovers: bool | None = None
    tags: Mapping[str, str] | None = None


def declared(model: "type[Model]") -> Declared:
    """What a model declares, with the current app's billing where it does not."""
    meta: dict[str, Any] = model.Meta.chosen  # type: ignore[attr-defined]
    billing = current_state().bind(model.__bind_key__).billing_of(meta)
    capacity = {
        "ReadCapacityUnits": billing.get("read_capacity_units"),
        "WriteCapacityUnits": billing.get("write_capacity_units"),
    }
    is_provisioned = billing["billing_mode"] == "PROVISIONED"
    schema = model._get_schema()
    request: dict[str, Any] = {
        "TableName": model.Meta.table_name,
        "KeySchema": _hash_first(schema["key_schema"]),
        "AttributeDefinitions": _distinct(schema["attribute_definitions"]),
        "GlobalSecondaryIndexes": [
            _index(index, capacity if is_provisioned else None)
            for index in schema["global_secondary_indexes"]
        ],
        "LocalSecondaryIndexes": [_index(one, None) for one in schema["local_secondary_indexes"]],
        "BillingMode": billing["billing_mode"],
        "ProvisionedThroughput": capacity if is_provisioned else None,
        "StreamSpecification": _stream(meta.get("stream_view_type")),
        "Tags": [{"Key": key, "Value": value} for key, value in meta.get("tags", {}).items()],
    }
    ttl: Any = model._ttl_attribute()  # type: ignore[no-untyped-call]
    return Declared(
        {key: request[key] for key in _CREATED_WITH if request[key]},
        ttl.attr_name if ttl else None,
        meta.get("point_in_time_recovery"),
    )


def differences(wanted: Declared, found: Found) -> Iterator[Difference]:
    """How a table differs from what its model declares, a line each."""
    name, table = wanted.name, found.table
    if table is None:
        yield Difference(f"table {name} is missing")
        return
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        yield Difference(f"table {name} is {table['TableStatus'].lower()}")
    if _keys(table) != _keys(wanted.request):
        yield Difference(
            f"table {name} has the key {_keys(table)} instead of {_keys(wanted.request)}"
        )
    yield from _index_differences(wanted, table)
    if wanted.expires_by and wanted.expires_by != found.expires_by:
        yield Difference(f"table {name} lacks time to live on {wanted.expires_by}")
    for text in _left_to_people(wanted, found, table):
        yield Difference(f"table {name} {text}", blocks=False)


def _left_to_people(wanted: Declared, found: Found, table: Mapping[str, Any]) -> Iterator[str]:
    mode = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if mode != wanted.request["BillingMode"]:
        yield f"is billed {mode} instead of {wanted.request['BillingMode']}"
    if wanted.recovers and found.recovers is False:
        yield "lacks point-in-time recovery"
    if missing_stream(wanted, found):
        yield f"lacks a stream of {wanted.request['StreamSpecification']['StreamViewType']}"
    for key in missing_tags(wanted, found):
        yield f"lacks the tag {key}={wanted.tags[key]}"


def missing_stream(wanted: Declared, found: Found) -> bool:
    """Whether a stream is declared that the table does not have."""
    specification = wanted.request.get("StreamSpecification")
    table = found.table or {}
    return bool(specification) and table.get("StreamSpecification") != specification


def missing_tags(wanted: Declared, found: Found) -> list[str]:
    """The declared tags that the table does not have with their value."""
    has = found.tags or {}
    return [key for key, value in wanted.tags.items() if has.get(key) != value]


def _index_differences(wanted: Declared, table: Mapping[str, Any]) -> Iterator[Difference]:
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        has = {index["IndexName"]: index for index in table.get(kind, ())}
        for index in wanted.request.get(kind, ()):
            name, real = index["IndexName"], has.get(index["IndexName"])
            if real is None:
                yield Difference(f"table {wanted.name} lacks the index {name}")
                continue
            here = f"index {name} of table {wanted.name}"
            if _keys(real) != _keys(index):
                yield Difference(f"{here} has the key {_keys(real)} instead of {_keys(index)}")
            if _projection(real) != _projection(index):
                yield Difference(
                    f"{here} holds {_projection(real)} instead of {_projection(index)}"
                )


def _keys(described: Mapping[str, Any]) -> str:
    return "/".join(key["AttributeName"] for key in _hash_first(described["KeySchema"]))


def _hash_first(keys: Any) -> list[Any]:
    return sorted(keys, key=lambda key: str(key["KeyType"]))


def _projection(index: Mapping[str, Any]) -> str:
    projection = index["Projection"]
    attributes = ", ".join(sorted(projection.get("NonKeyAttributes", ())))
    return f"{projection['ProjectionType']} {attributes}".strip()


def _index(index: Mapping[str, Any], capacity: Mapping[str, Any] | None) -> dict[str, Any]:
    request = {
        "IndexName": index["index_name"],
        "KeySchema": _hash_first(index["key_schema"]),
        "Projection": index["projection"],
    }
    if capacity:
        request["ProvisionedThroughput"] = index.get("provisioned_throughput") or capacity
    return request


def _stream(view: str | None) -> dict[str, Any] | None:
    return {"StreamEnabled": True, "StreamViewType": view} if view else None


def _distinct(definitions: list[Any]) -> list[Any]:
    by_name = {definition["AttributeName"]: definition for definition in definitions}
    return list(by_name.values())
