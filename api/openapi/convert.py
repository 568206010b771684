"""Convert Swagger 2.0, as Flask-RESTX writes it, to OpenAPI 3.1. Knows nothing about Roster.

Any Flask-RESTX project can use this file and `schema.py`: `convert(api.__schema__)`. Vendor
extensions express what Swagger 2.0 cannot; they are recognized anywhere in the document:

- `x-nullable` on a schema: the value can be null;
- `x-example` on a parameter: an example of it;
- `x-produces` on a response: its media types, if they differ from the operation's;
- `x-openapi` on anything: a JSON merge patch (RFC 7396) for the converted object.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from api.openapi.schema import convert_schema, patched, repoint

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
# Members of a 2.0 parameter or header that 3.1 keeps; all others belong to its schema.
_OUTSIDE_SCHEMA = ("name", "in", "description", "required", "allowEmptyValue")
_STYLES: Mapping[str, Json] = {
    "csv": {"explode": False},
    "multi": {"explode": True},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "pipes": {"style": "pipeDelimited", "explode": False},
}
_FLOWS = {"accessCode": "authorizationCode", "application": "clientCredentials"}


def convert(swagger: Mapping[str, Any]) -> Json:
    """The OpenAPI 3.1 description of what a Swagger 2.0 description describes."""
    paths = swagger.get("paths", {})
    components = {
        "schemas": {k: convert_schema(v) for k, v in swagger.get("definitions", {}).items()},
        "responses": {
            name: _response(response, swagger.get("produces", ()))
            for name, response in swagger.get("responses", {}).items()
        },
        "securitySchemes": {
            k: patched(_security_scheme(v), v)
            for k, v in swagger.get("securityDefinitions", {}).items()
        },
    }
    document = {
        "openapi": "3.1.0",
        "info": dict(swagger["info"]),
        "servers": list(_servers(swagger)),
        "tags": swagger.get("tags"),
        "security": swagger.get("security"),
        "paths": {path: _path_item(item, swagger) for path, item in paths.items()},
        "components": {name: part for name, part in components.items() if part},
        "externalDocs": swagger.get("externalDocs"),
    }
    return patched({name: part for name, part in document.items() if part}, swagger)


def _servers(swagger: Mapping[str, Any]) -> Iterable[Json]:
    base = swagger.get("basePath", "/")
    if "host" not in swagger:
        yield {"url": base}
        return
    for scheme in swagger.get("schemes", ("https",)):
        yield {"url": f"{scheme}://{swagger['host']}{base}"}


def _path_item(item: Mapping[str, Any], swagger: Mapping[str, Any]) -> Json:
    shared = item.get("parameters", [])
    # 3.1 has no body beside the parameters of a path: it becomes each operation's.
    bodies = [each for each in shared if each.get("in") in ("body", "formData")]
    parameters = [_parameter(each) for each in shared if each not in bodies]
    converted: Json = {"parameters": parameters} if parameters else {}
    for method in item:
        if method in METHODS:
            converted[method] = _operation(item[method], bodies, swagger)
    return converted


def _operation(
    operation: Mapping[str, Any], bodies: list[Json], swagger: Mapping[str, Any]
) -> Json:
    given = [*bodies, *operation.get("parameters", [])]
    produces = operation.get("produces") or swagger.get("produces", ())
    consumes = operation.get("consumes") or swagger.get("consumes", ())
    parameters = [_parameter(each) for each in given if each.get("in") not in ("body", "formData")]
    converted = {
        "tags": operation.get("tags"),
        "summary": operation.get("summary"),
        "description": operation.get("description"),
        "operationId": operation.get("operationId"),
        "parameters": parameters,
        "requestBody": _request_body(given, consumes),
        "responses": {
            str(status): _response(response, produces)
            for status, response in operation.get("responses", {}).items()
        },
        "deprecated": operation.get("deprecated"),
    }
    kept = {name: part for name, part in converted.items() if part}
    if "security" in operation:
        # An empty list means that no authentication is required.
        kept["security"] = operation["security"]
    return patched(kept, operation)


def _parameter(parameter: Mapping[str, Any]) -> Json:
    if "$ref" in parameter:
        return {"$ref": repoint(parameter["$ref"])}
    converted = _outside_schema(parameter)
    converted.update(_style(parameter))
    converted["schema"] = _schema_beside(parameter)
    if "x-example" in parameter:
        converted["example"] = parameter["x-example"]
    return patched(converted, parameter)


def _style(parameter: Mapping[str, Any]) -> Json:
    if parameter.get("type") != "array":
        return {}
    style = dict(_STYLES.get(parameter.get("collectionFormat", "csv"), {}))
    # Only a query can write lists in more than one way; elsewhere commas are the default.
    return style if parameter["in"] == "query" else {}


def _outside_schema(source: Mapping[str, Any]) -> Json:
    return {name: source[name] for name in _OUTSIDE_SCHEMA if name in source}


def _schema_beside(source: Mapping[str, Any]) -> Json:
    """The schema of a parameter or header, which 2.0 writes beside its name."""
    if "schema" in source:
        return convert_schema(source["schema"])
    outside = (*_OUTSIDE_SCHEMA, "collectionFormat", "x-openapi", "x-example")
    return convert_schema({name: part for name, part in source.items() if name not in outside})


def _request_body(parameters: list[Json], consumes: Iterable[str]) -> Json | None:
    fields = [each for each in parameters if each.get("in") == "formData"]
    if fields:
        return _form(fields, [kind for kind in consumes if kind in (_FORM, _MULTIPART)])
    for each in parameters:
        if each.get("in") == "body":
            schema = convert_schema(each["schema"])
            body = {
                "description": each.get("description"),
                "content": {kind: {"schema": schema} for kind in consumes or (_JSON,)},
                "required": each.get("required", False),
            }
            return patched({name: part for name, part in body.items() if part}, each)
    return None


def _form(fields: list[Json], consumes: list[str]) -> Json:
    has_file = any(field.get("type") == "file" for field in fields)
    schema: Json = {
        "type": "object",
        "properties": {
            field["name"]: {**_schema_beside(field), **_described(field)} for field in fields
        },
    }
    if required := [field["name"] for field in fields if field.get("required")]:
        schema["required"] = required
    kinds = [_MULTIPART] if has_file else consumes or [_FORM]
    return {"content": {kind: {"schema": schema} for kind in kinds}, "required": bool(required)}


def _described(field: Mapping[str, Any]) -> Json:
    described = {"description": field["description"]} if "description" in field else {}
    return {**described, "examples": [field["x-example"]]} if "x-example" in field else described


def _response(response: Mapping[str, Any], produces: Iterable[str]) -> Json:
    if "$ref" in response:
        return {"$ref": repoint(response["$ref"])}
    converted: Json = {"description": response.get("description", "")}
    if headers := response.get("headers"):
        converted["headers"] = {name: _header(header) for name, header in headers.items()}
    if "schema" in response:
        schema = convert_schema(response["schema"])
        kinds = response.get("x-produces") or produces or (_JSON,)
        examples = response.get("examples", {})
        converted["content"] = {
            kind: {"schema": schema, **({"example": examples[kind]} if kind in examples else {})}
            for kind in kinds
        }
    return patched(converted, response)


def _header(header: Mapping[str, Any]) -> Json:
    return patched({**_outside_schema(header), "schema": _schema_beside(header)}, header)


def _security_scheme(scheme: Mapping[str, Any]) -> Json:
    kept = {name: part for name, part in scheme.items() if name != "x-openapi"}
    if scheme["type"] == "basic":
        return {**kept, "type": "http", "scheme": "basic"}
    if scheme["type"] != "oauth2":
        return kept
    in_flow = ("authorizationUrl", "tokenUrl", "scopes")
    flow = {name: kept.pop(name) for name in in_flow if name in kept}
    name = kept.pop("flow")
    return {**kept, "flows": {_FLOWS.get(name, name): {"scopes": {}, **flow}}}
