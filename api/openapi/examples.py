"""Gives each schema of an OpenAPI 3.1 description an example, out of those of its members."""

from typing import Any

Json = dict[str, Any]

_PLACE = "#/components/schemas/"
_MOMENT = "2026-01-02T03:04:05Z"


def exemplify(schemas: dict[str, Json]) -> None:
    """Give an example to every schema that has none.

    Raises:
        KeyError: A member has no example, and none that goes without saying.
    """
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            if "examples" not in member and "$ref" not in member:
                member["examples"] = [_example(member, schemas)]
        schema.setdefault("examples", [_example(schema, schemas)])


def _example(schema: Json, schemas: dict[str, Json]) -> Any:
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].removeprefix(_PLACE)], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "properties" in schema:
        members = schema["properties"].items()
        return {name: _example(member, schemas) for name, member in members}
    if "items" in schema:
        return [_example(schema["items"], schemas)]
    return schema["enum"][0] if "enum" in schema else _obvious(schema)


def _obvious(schema: Json) -> Any:
    if schema.get("format") == "date-time":
        return _MOMENT
    if "null" in schema["type"]:
        return None
    return {"boolean": False}[schema["type"]]
