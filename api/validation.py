"""`@body` and `@query`: document, validate and pass on what a view takes.

They belong below the guards, so that an anonymous caller with a bad body gets 401, not 422.
Schemas are compiled once, when the view is defined.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

import jsonschema_rs
from flask import request
from flask_restx import Namespace
from flask_restx.model import SchemaModel

from api.errors import RequestError
from api.json_body import read_object
from api.json_pointers import escape
from api.openapi.annotations import describe, error_responses
from api.validation_errors import UNKNOWN, faults_of, raise_if_any, raise_one
from models import Right

View = Callable[..., Any]
Check = Callable[[Any], list[tuple[str, str]]]
Rules = Callable[[dict[str, Any]], list[tuple[str, str]]]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
# A header can be as long as the server allows; what an error repeats of it is not.
_MAX_MEDIA_TYPE_LENGTH = 100
# Who may set a field that requires a right. Readers set none.
_WHO = {Right.ADMINISTER: "Only an admin", Right.SUPPORT: "Only an admin or support"}


def body(
    schema: SchemaModel,
    *,
    media_types: tuple[str, ...] = (JSON,),
    rights: Mapping[str, Right] | None = None,
    managed: Iterable[str] = (),
    rules: Rules | None = None,
) -> Callable[[View], View]:
    """Validate the body against a schema; the view gets `payload`.

    Args:
        schema: The schema. Fields that it does not name are rejected; `x-nullable` allows null;
            `x-rule` is the sentence of the error for a pattern that does not match.
        media_types: The accepted values of `Content-Type`.
        rights: The rights that fields require; needs `caller` from a guard above.
        managed: Fields that only an admin or a client may send, likewise.
        rules: Returns the faults of fields that the schema accepts; called only for a body with
            other faults, so that all are reported together. Other bodies meet the same rules in
            the domain.
    """
    check = compile_check(schema.__schema__)
    managed_fields = frozenset(managed)

    def decorate(view: View) -> View:
        @wraps(view)
        def validated(*args: Any, **kwargs: Any) -> Any:
            _reject_parameters()
            payload = _read_body(media_types)
            if rights or managed_fields:
                _require_rights(rights or {}, managed_fields, payload, kwargs["caller"])
            faults = check(payload)
            if faults and rules:
                faults += _faults_by_rules(rules, payload, faults)
            raise_if_any(faults)
            return view(*args, payload=payload, **kwargs)

        slugs = [
            "malformed-json",
            "request-timeout",
            "payload-too-large",
            "unsupported-media-type",
            "invalid-request",
        ]
        if rights:
            slugs += ["forbidden", "second-factor-missing"]
        consumes = {"consumes": list(media_types)}
        validated.checks_query = True  # type: ignore[attr-defined]
        return error_responses(*slugs)(describe(validated, expect=[schema], vendor=consumes))

    return decorate


def query(parameters: Mapping[str, Mapping[str, Any]]) -> Callable[[View], View]:
    """Validate the query string; the view gets each parameter that was sent as an argument.

    Args:
        parameters: A schema for each parameter; `type: integer` converts the text to a number.
    """
    numbers = {name for name, schema in parameters.items() if schema.get("type") == "integer"}
    check = compile_check({"type": "object", "properties": parameters})
    documentation = {name: {"in": "query", **schema} for name, schema in parameters.items()}

    def decorate(view: View) -> View:
        @wraps(view)
        def validated(*args: Any, **kwargs: Any) -> Any:
            given: dict[str, Any] = {}
            for name, values in request.args.lists():
                if len(values) > 1:
                    raise_one(f"/{name}", "Send this parameter once.")
                given[name] = _to_number(values[0]) if name in numbers else values[0]
            raise_if_any(check(given))
            return view(*args, **given, **kwargs)

        validated.checks_query = True  # type: ignore[attr-defined]
        return error_responses("invalid-request")(describe(validated, params=documentation))

    return decorate


def without_query(view: View) -> View:
    """Reject every query parameter, unless the view checks them itself.

    A misspelt parameter must not be taken for one that has an effect.
    """
    if getattr(view, "checks_query", False):
        return view

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        _reject_parameters()
        return view(*args, **kwargs)

    return error_responses("invalid-request")(checked)


def strict_schema(namespace: Namespace, name: str, schema: dict[str, Any]) -> SchemaModel:
    """Register an object schema that rejects fields it does not name."""
    strict = {"type": "object", "additionalProperties": False, **schema}
    model: SchemaModel = namespace.schema_model(name, strict)
    return model


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Return a function that lists how a value breaks a schema, as JSON pointers and sentences."""
    validator = jsonschema_rs.validator_for(to_json_schema(schema))

    def check(value: Any) -> list[tuple[str, str]]:
        return [
            fault for error in validator.iter_errors(value) for fault in faults_of(error, schema)
        ]

    return check


def to_json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Swagger 2.0 schema as JSON Schema: with null, and without unnamed fields."""
    converted: dict[str, Any] = dict(schema)
    if converted.pop("x-nullable", False):
        converted["type"] = [converted["type"], "null"]
    if "properties" in converted:
        converted.setdefault("additionalProperties", False)
        properties = converted["properties"].items()
        converted["properties"] = {name: to_json_schema(part) for name, part in properties}
    return converted


def _faults_by_rules(
    rules: Rules, payload: dict[str, Any], faults: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    faulty = {_field_of(pointer) for pointer, _ in faults}
    found = rules({name: value for name, value in payload.items() if name not in faulty})
    # A field that is wrong in itself is not missing, too.
    return [fault for fault in found if _field_of(fault[0]) not in faulty]


def _field_of(pointer: str) -> str:
    """Return the field of the body that a JSON pointer leads into."""
    return pointer[1:].partition("/")[0]


def _reject_parameters() -> None:
    raise_if_any((f"/{escape(name)}", UNKNOWN) for name in request.args)


def _read_body(media_types: tuple[str, ...]) -> dict[str, Any]:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        # RFC 9110, 15.5.16: the client learns which codings are accepted.
        raise RequestError(
            "unsupported-media-type",
            f"The body must not be compressed; its Content-Encoding is {_shown(coding)}.",
            headers={"Accept-Encoding": "identity"},
        )
    accepted = {"Accept-Patch": ", ".join(media_types)} if request.method == "PATCH" else {}
    if request.mimetype not in media_types:
        raise RequestError(
            "unsupported-media-type",
            f"The body must be {' or '.join(media_types)}, not {_shown(request.mimetype)}.",
            headers=accepted,
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise RequestError(
            "unsupported-media-type",
            f"The charset of the body must be utf-8 (RFC 8259, 8.1), not {_shown(charset)}.",
            headers=accepted,
        )
    return read_object(request.get_data())


def _shown(text: str) -> str:
    return text[:_MAX_MEDIA_TYPE_LENGTH] or "untyped"


def _require_rights(
    rights: Mapping[str, Right], managed: frozenset[str], payload: dict[str, Any], caller: Any
) -> None:
    """Reject fields that the caller may not set, all of them together."""
    lacking = {}
    for name in sorted(payload.keys() & (rights.keys() | managed)):
        if name in managed:
            may_set, who = caller and caller.may_manage_users(), "Only an admin or a client"
        else:
            may_set, who = caller and caller.has_right(rights[name]), _WHO[rights[name]]
        if not may_set:
            lacking[name] = who
    if lacking:
        kinds = set(lacking.values())
        # An admin may set every field.
        who = kinds.pop() if len(kinds) == 1 else _WHO[Right.ADMINISTER]
        raise RequestError(
            "forbidden",
            f"{who} may set {', '.join(lacking)}.",
            [(f"/{name}", f"{text} may set this.") for name, text in lacking.items()],
        )


def _to_number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
