"""The operator's schema of metadata: a JSON Schema that is safe to run on every request.

It is compiled once. Nothing is ever fetched, patterns run in linear time, and a schema whose
validation could take long is rejected: its subschemas are counted with all references followed,
since validators follow each of them again at each place.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

# The fields that a schema may describe.
FIELDS = ("metadata", "app_metadata")
MAX_SCHEMA_BYTES = 64 * 1024
# An object of 4 KB has at most some 2,000 values, each of which meets each subschema at most once.
MAX_SUBSCHEMAS = 1_000
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ROOT_KEYWORDS = {"$schema", "$comment", "$defs", "title", "description", "type", "properties"}
# They name other documents, or places that only a validator can find.
_UNSUPPORTED = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary")
_WITH_SCHEMA = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_WITH_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
_WITH_NAMES = ("$defs", "dependentSchemas", "patternProperties", "properties")
# The nesting of a schema that can be read without exhausting the stack.
_MAX_DEPTH = 50
_REGEX_BYTES = 1024 * 1024
# The library collects all errors before it returns the first, some 10 microseconds for each
# subschema that a value fails.
_MAX_TESTS = 5_000
# An object can be wrong in thousands of places; more than these help no reader.
MAX_ERRORS = 20


class InvalidSchema(Exception):
    """The schema is none, or is not accepted; the text says why."""


@dataclass(frozen=True)
class MetadataSchema:
    """A compiled schema of an object with `metadata` and `app_metadata`.

    Attributes:
        subschemas: How many schemas it has, with all references followed.
    """

    subschemas: int
    _validator: jsonschema_rs.Validator

    def is_valid(self, value: Mapping[str, Any]) -> bool:
        """Return whether an object matches."""
        return self._validator.is_valid(value)

    def errors(self, value: Mapping[str, Any]) -> list[jsonschema_rs.ValidationError]:
        """Return where an object does not match: the first place, and others if they take no time.

        Args:
            value: An object that does not match.
        """
        if _count_values(value) * self.subschemas <= _MAX_TESTS:
            return list(islice(self._validator.iter_errors(value), MAX_ERRORS))
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []


def compile_schema(content: bytes) -> MetadataSchema:
    """Return a schema of an object with `metadata` and `app_metadata`, ready to use.

    Args:
        content: The schema as JSON.

    Raises:
        InvalidSchema: It is no JSON Schema (draft 2020-12) for these fields, names another
            document, is recursive or too large, or has a pattern that needs backtracking.
    """
    schema = _parse(content)
    _check_root(schema)
    subschemas = _Counter(schema).count_all()
    try:
        validator = jsonschema_rs.Draft202012Validator(
            schema,
            validate_formats=True,
            offline=True,
            # A linear engine: lookaround and references to groups are rejected here.
            pattern_options=jsonschema_rs.RegexOptions(size_limit=_REGEX_BYTES),
            # Error messages must not repeat values.
            mask="It",
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise InvalidSchema(str(error).partition("\n")[0]) from None
    return MetadataSchema(subschemas, validator)


def _count_values(value: Any) -> int:
    """Return how many values there are in one, with itself. It is not deeper than a body may be."""
    if isinstance(value, Mapping):
        return 1 + sum(map(_count_values, value.values()))
    return 1 + sum(map(_count_values, value)) if isinstance(value, list) else 1


def _parse(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_SCHEMA_BYTES:
        raise InvalidSchema(f"it has more than {MAX_SCHEMA_BYTES // 1024} KB")
    try:
        schema = json.loads(content)
    except RecursionError:
        raise InvalidSchema("it is nested too deeply") from None
    except ValueError as error:
        raise InvalidSchema(f"it is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise InvalidSchema("it is no JSON object")
    return schema


def _check_root(schema: Mapping[str, Any]) -> None:
    if schema.get("$schema", _DRAFT) != _DRAFT:
        raise InvalidSchema(f"its $schema must be {_DRAFT}")
    unknown = sorted(schema.keys() - _ROOT_KEYWORDS)
    if unknown:
        raise InvalidSchema(f"{unknown[0]} is not supported outside of properties and $defs")
    if schema.get("type", "object") != "object":
        raise InvalidSchema("its type must be object")
    described = schema.get("properties")
    if not isinstance(described, dict) or not described or set(described) - set(FIELDS):
        raise InvalidSchema(f"its properties must be {' or '.join(FIELDS)}, or both")


class _Counter:
    """Counts the subschemas of a schema, with all references followed.

    Args:
        schema: The whole schema.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._counts: dict[int, int] = {}
        # The schemas whose parts are being counted: meeting one again is a cycle.
        self._open: set[int] = set()

    def count_all(self) -> int:
        """Return the number of subschemas, with definitions that nothing refers to.

        Raises:
            InvalidSchema: There are too many, or a reference is recursive or not supported.
        """
        return self._count(self._schema, 0)

    def _count(self, schema: Any, depth: int) -> int:
        # true and false are schemas, and whatever is none is found when it is compiled.
        if not isinstance(schema, dict):
            return 1
        if depth > _MAX_DEPTH:
            raise InvalidSchema(f"it is nested more than {_MAX_DEPTH} levels deep")
        key = id(schema)
        if key in self._open:
            raise InvalidSchema("it is recursive")
        if key not in self._counts:
            self._open.add(key)
            parts = self._parts(schema)
            self._counts[key] = 1 + sum(self._count(part, depth + 1) for part in parts)
            self._open.remove(key)
        if self._counts[key] > MAX_SUBSCHEMAS:
            raise InvalidSchema(
                f"it has more than {MAX_SUBSCHEMAS} subschemas, with references followed"
            )
        return self._counts[key]

    def _parts(self, schema: dict[str, Any]) -> Iterator[Any]:
        for keyword in _UNSUPPORTED:
            if keyword in schema:
                raise InvalidSchema(f"{keyword} is not supported")
        for keyword in _WITH_SCHEMA:
            if keyword in schema:
                yield schema[keyword]
        for keyword in _WITH_LIST:
            if isinstance(schema.get(keyword), list):
                yield from schema[keyword]
        for keyword in _WITH_NAMES:
            if isinstance(schema.get(keyword), dict):
                yield from schema[keyword].values()
        if "$ref" in schema:
            yield self._target(schema["$ref"])

    def _target(self, reference: Any) -> Any:
        """Return the schema that a reference names, by its JSON pointer (RFC 6901)."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise InvalidSchema(f"$ref must be within the schema, as in #/$defs/name: {reference}")
        found: Any = self._schema
        for part in reference.removeprefix("#/").split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                raise InvalidSchema(f"$ref names nothing: {reference}")
        return found
