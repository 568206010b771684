"""A schema of Swagger 2.0 to JSON Schema 2020-12. Goes with `convert.py`."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_PLACES = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
# Formats of 2.0 that are no formats of JSON Schema, and how it says the same.
_ENCODINGS = {"byte": {"contentEncoding": "base64"}}


def convert_schema(schema: Mapping[str, Any]) -> Json:
    """The JSON Schema that means what a 2.0 schema means."""
    converted: Json = {}
    for name, part in schema.items():
        converted.update(_keyword(name, part, schema))
    if schema.get("x-nullable"):
        converted = _nullable(converted)
    return patched(converted, schema)


def patched(converted: Json, source: Mapping[str, Any]) -> Json:
    """What a thing was converted to, with what its `x-openapi` says."""
    merged: Json = _merge_patch(converted, source.get("x-openapi", {}))
    return merged


def repoint(reference: str) -> str:
    """Where 3.1 keeps what a 2.0 reference leads to."""
    for old, new in _PLACES.items():
        if reference.startswith(old):
            return new + reference.removeprefix(old)
    return reference


def _merge_patch(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch (RFC 7396); neither argument is changed."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge_patch(merged.get(name), value)
    return merged


def _keyword(name: str, part: Any, schema: Mapping[str, Any]) -> Json:
    match name, part:
        case "x-nullable" | "x-openapi", _:
            return {}
        case "$ref", str():
            return {name: repoint(part)}
        case "example", _:
            return {"examples": [part]}
        case "properties", _:
            return {name: {key: convert_schema(value) for key, value in part.items()}}
        case "items" | "additionalProperties", Mapping():
            return {name: convert_schema(part)}
        case "allOf", _:
            return {name: [convert_schema(each) for each in part]}
        case "exclusiveMinimum" | "exclusiveMaximum", bool():
            return _exclusive(name, part, schema)
        case "minimum" | "maximum", _ if schema.get(_exclusive_name(name)) is True:
            return {}
        case "discriminator", str():
            return {name: {"propertyName": part}}
        case "type", "file":
            return {"type": "string", "contentMediaType": "application/octet-stream"}
        case "format", _ if part in _ENCODINGS:
            return _ENCODINGS[part]
        case _:
            return {name: part}


def _exclusive_name(bound: str) -> str:
    return f"exclusive{bound.capitalize()}"


def _exclusive(name: str, is_exclusive: bool, schema: Mapping[str, Any]) -> Json:
    """2.0 says beside a bound whether it is exclusive; JSON Schema has bounds that are."""
    bound = name.removeprefix("exclusive").lower()
    return {name: schema[bound]} if is_exclusive and bound in schema else {}


def _nullable(schema: Json) -> Json:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
