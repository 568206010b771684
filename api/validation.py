"""`@body` and `@query`: document what a view takes, check it, hand it over as an argument.

They stand below the guards, so that an anonymous caller with a bad body is told to sign in
first. Schemas are compiled once, when the view is defined.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, NoReturn

import jsonschema_rs
from flask import request
from flask_restx import Namespace
from flask_restx.model import SchemaModel

from api.errors import RequestError
from api.openapi.annotations import describe, problems
from api.validation_errors import escape, faults_of, printable, refuse_all, refuse_one, shortened

View = Callable[..., Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
# Deeper bodies are nobody's account, and every walk over one costs stack.
_DEEPEST = 32
# No text may hold a NUL, in whatever depth; where there is no narrower pattern, the schema says so.
NO_NUL = {"pattern": r"^[^\x00]*$", "x-rule": "It must not contain a NUL character."}
# A header can be as long as a server lets it; what is repeated of it is not.
_LONGEST_TYPE = 100


def body(
    schema: SchemaModel,
    *,
    media_types: tuple[str, ...] = (JSON,),
    admin_only: Iterable[str] = (),
) -> Callable[[View], View]:
    """Check the body against a schema; the view gets `payload`.

    Args:
        schema: What the body must be. Members it does not name are refused; `x-nullable` allows
            null; `x-rule` is the sentence to answer with when a pattern is not met.
        media_types: What `Content-Type` may say.
        admin_only: Members that only an admin may send; needs `caller` from a guard above.
    """
    check = compile_check(schema.__schema__)
    reserved = frozenset(admin_only)

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            payload = _read_json(media_types)
            if reserved:
                _refuse_reserved(payload, reserved, kwargs["caller"])
            refuse_all(check(payload))
            return view(*args, payload=payload, **kwargs)

        slugs = ["malformed-json", "payload-too-large", "unsupported-media-type", "invalid-request"]
        if reserved:
            slugs += ["forbidden", "second-factor-missing"]
        consumes = {"consumes": list(media_types)}
        return problems(*slugs)(describe(checked, expect=[schema], vendor=consumes))

    return decorate


def query(parameters: Mapping[str, Mapping[str, Any]]) -> Callable[[View], View]:
    """Check the query string; the view gets each parameter that was sent as an argument.

    Args:
        parameters: A schema for each parameter; `type: integer` turns the text into a number.
    """
    numbers = {name for name, schema in parameters.items() if schema.get("type") == "integer"}
    check = compile_check({"type": "object", "properties": parameters})
    documentation = {name: {"in": "query", **schema} for name, schema in parameters.items()}

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Any:
            given: dict[str, Any] = {}
            for name, values in request.args.lists():
                if len(values) > 1:
                    refuse_one(f"/{name}", "Give this parameter once.")
                given[name] = _number(values[0]) if name in numbers else values[0]
            refuse_all(check(given))
            return view(*args, **given, **kwargs)

        return problems("invalid-request")(describe(checked, params=documentation))

    return decorate


def refine(namespace: Namespace, name: str, schema: dict[str, Any]) -> SchemaModel:
    """Register an object schema that refuses members it does not name."""
    strict = {"type": "object", "additionalProperties": False, **schema}
    model: SchemaModel = namespace.schema_model(name, strict)
    return model


def _read_json(media_types: tuple[str, ...]) -> dict[str, Any]:
    if request.mimetype not in media_types:
        raise RequestError(
            "unsupported-media-type",
            f"The body must be {' or '.join(media_types)}, not"
            f" {request.mimetype[:_LONGEST_TYPE] or 'untyped'}.",
        )
    return read_object(request.get_data())


def read_object(data: bytes) -> dict[str, Any]:
    """The JSON object that somebody sent.

    Raises:
        RequestError: It is none, or holds what cannot be stored.
    """
    try:
        payload = json.loads(
            data.decode(),
            object_pairs_hook=_refuse_repeated,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise RequestError("malformed-json", f"The body is not JSON: {_reason(error)}.") from None
    if not isinstance(payload, dict):
        refuse_one("", "The body must be a JSON object.")
    refuse_all(_strange_values(payload))
    return payload


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number is too big"


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        pointer = shortened(printable(f"/{escape(name)}"))
        raise RequestError(
            "malformed-json",
            f"The member {pointer or 'with a long name'} occurs twice in one object.",
            [(pointer, "It occurs twice.")],
        )
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise RequestError("malformed-json", f"{name} is not a JSON value.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise RequestError("malformed-json", "A number is too big.")
    return number


def _strange_values(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What JSON allows, but what cannot be stored or shown again as it came."""
    waiting: list[tuple[str, Any, int]] = [("", payload, 0)]
    while waiting:
        pointer, value, depth = waiting.pop()
        if depth > _DEEPEST:
            yield pointer, f"It is nested more than {_DEEPEST} levels deep."
        elif isinstance(value, str):
            yield from _strange_text(pointer, value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**64:
            yield pointer, "It is a number of more than 64 bits."
        elif isinstance(value, dict):
            for name, part in value.items():
                here = f"{pointer}/{escape(name)}"
                yield from _strange_text(here, name)
                waiting.append((here, part, depth + 1))
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{at}", part, depth + 1) for at, part in enumerate(value)]


def _strange_text(pointer: str, text: str) -> Iterator[tuple[str, str]]:
    if "\0" in text:
        yield printable(pointer), "It contains a NUL character."
    elif not text.isascii() and printable(text) != text:
        yield printable(pointer), "It contains half of a surrogate pair."


def _refuse_reserved(payload: dict[str, Any], reserved: frozenset[str], caller: Any) -> None:
    sent = sorted(reserved & payload.keys())
    if sent and not (caller and caller.is_active_admin()):
        raise RequestError(
            "forbidden",
            f"Only an admin may set {', '.join(sent)}.",
            [(f"/{name}", "Only an admin may set this.") for name in sent],
        )


def compile_check(schema: Mapping[str, Any]) -> Callable[[Any], list[tuple[str, str]]]:
    """A function that tells how a value breaks a schema, as JSON pointers and sentences."""
    validator = jsonschema_rs.validator_for(strict(schema))

    def check(value: Any) -> list[tuple[str, str]]:
        return [
            fault for error in validator.iter_errors(value) for fault in faults_of(error, schema)
        ]

    return check


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Swagger's way to write null as JSON Schema's, and no members but those that are named."""
    refined: dict[str, Any] = dict(schema)
    if refined.pop("x-nullable", False):
        refined["type"] = [refined["type"], "null"]
    if "properties" in refined:
        refined.setdefault("additionalProperties", False)
        refined["properties"] = {k: strict(v) for k, v in refined["properties"].items()}
    return refined


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
