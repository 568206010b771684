"""Tables that several models declare: what each declares counts, and must not contradict others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pynamodb.connection.base import MetaTable

from flask_pynamodb.app_model import AppModel, chosen_in
from flask_pynamodb.errors import ConfigurationError

_Model = TypeVar("_Model", bound=type[AppModel])
# Settings of a Meta that belong to the table.
_TABLE_SETTINGS = (
    "billing_mode",
    "read_capacity_units",
    "write_capacity_units",
    "stream_view_type",
    "point_in_time_recovery",
)


def group_by_table(models: Iterable[_Model]) -> list[list[_Model]]:
    """Return the models of each table, in the order of their first models."""
    groups: dict[Any, list[_Model]] = {}
    for model in models:
        table: Any = model._get_connection()
        groups.setdefault((table.connection, table.table_name), []).append(model)
    return list(groups.values())


def merge_meta_tables(known: MetaTable, other: MetaTable) -> MetaTable:
    """Return the keys and indexes of a table that two models declare.

    Raises:
        ConfigurationError: The declarations contradict each other.
    """
    table = known.table_name
    keys, other_keys = known.data["KeySchema"], other.data["KeySchema"]
    return MetaTable(
        {
            "TableName": table,
            "KeySchema": merge_keys(table, [keys, other_keys]),
            "AttributeDefinitions": merge_definitions(
                table, [one.data["AttributeDefinitions"] for one in (known, other)]
            ),
            **{
                kind: merge_indexes(table, [one.data[kind] for one in (known, other)], "IndexName")
                for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
            },
        }
    )


def merge_keys(table: str, declared: Sequence[Sequence[Any]]) -> list[Any]:
    """Return the key of a table, which all its models declare.

    Raises:
        ConfigurationError: Two models declare different keys.
    """
    texts = ["/".join(key["AttributeName"] for key in hash_first(keys)) for keys in declared]
    for text in texts[1:]:
        if text != texts[0]:
            raise ConfigurationError(
                f"Two models declare the table {table} with different keys: {texts[0]} and {text}."
            )
    return hash_first(declared[0])


def merge_definitions(table: str, declared: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the types of the key attributes of a table and its indexes, each once.

    Raises:
        ConfigurationError: Two models declare an attribute with different types.
    """
    return _merge(f"key attribute {{name}} of the table {table}", declared, "AttributeName")


def merge_indexes(
    table: str, declared: Iterable[Iterable[Any]], name: str = "index_name"
) -> list[Any]:
    """Return the indexes that the models of a table declare, each once.

    Args:
        table: The table.
        declared: The indexes of each model.
        name: The field of the index name.

    Raises:
        ConfigurationError: Two models declare an index of the same name differently.
    """
    ordered = [[_with_ordered_key(index) for index in indexes] for indexes in declared]
    return _merge(f"index {{name}} of the table {table}", ordered, name)


def merge_settings(models: Sequence[type[AppModel]]) -> dict[str, Any]:
    """Return the settings of a table in the Metas of its models; tags are added up.

    Raises:
        ConfigurationError: Two models set a setting, or a tag, to different values.
    """
    table: str = models[0].Meta.table_name
    metas = [chosen_in(model) for model in models]
    chosen = [
        [{"name": key, "value": meta[key]} for key in _TABLE_SETTINGS if key in meta]
        for meta in metas
    ]
    tags = [
        [{"name": key, "value": value} for key, value in meta.get("tags", {}).items()]
        for meta in metas
    ]
    settings = _merge(f"{{name}} of the table {table}", chosen, "name")
    merged_tags = _merge(f"tag {{name}} of the table {table}", tags, "name")
    merged = {one["name"]: one["value"] for one in settings}
    return {**merged, "tags": {one["name"]: one["value"] for one in merged_tags}}


def hash_first(keys: Iterable[Any]) -> list[Any]:
    """Return the parts of a key in DynamoDB's order: the partition key first."""
    return sorted(keys, key=lambda key: str(key["KeyType"]))


def _with_ordered_key(index: Mapping[str, Any]) -> dict[str, Any]:
    keys = {name: hash_first(index[name]) for name in ("KeySchema", "key_schema") if name in index}
    return {**index, **keys}


def _merge(what: str, declared: Iterable[Iterable[Any]], name: str) -> list[Mapping[str, Any]]:
    by_name: dict[str, Mapping[str, Any]] = {}
    for declarations in declared:
        for one in declarations:
            known = by_name.setdefault(one[name], one)
            if known != one:
                raise ConfigurationError(
                    f"Two models declare the {what.format(name=one[name])} differently:"
                    f" {_rest(known, name)} and {_rest(one, name)}."
                )
    return list(by_name.values())


def _rest(one: Mapping[str, Any], name: str) -> str:
    return ", ".join(str(value) for key, value in one.items() if key != name)
