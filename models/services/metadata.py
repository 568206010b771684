"""The rules for the metadata of users: their size, and the schema of the operator.

`metadata` belong to the user, `app_metadata` to the operator.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import jsonschema_rs

from models.errors import InvalidField, raise_together
from models.services.metadata_schema import FIELDS, MAX_ERRORS, MetadataSchema

# The limit of the API contract, in UTF-8 bytes of the object written without spaces.
MAX_BYTES = 4096
# A pattern of the schema can be as long as the schema.
_MAX_SENTENCE = 300

# A new object, or a function that returns it for the current one.
NewObject = Mapping[str, Any] | Callable[[Mapping[str, Any]], Mapping[str, Any]]


class MetadataRules:
    """What `metadata` and `app_metadata` may be.

    Args:
        schema: The schema of an object with both. None accepts all.
    """

    def __init__(self, schema: MetadataSchema | None = None) -> None:
        self._schema = schema

    def validate(self, field: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object as stored.

        Args:
            field: `metadata` or `app_metadata`.
            value: The object. An empty one is accepted whatever the schema requires: nothing is
                known then.

        Raises:
            InvalidField: It is larger than 4 KB, or does not match the schema.
        """
        validate_size(field, value)
        raise_together(self._faults(field, value))
        return dict(value)

    def faults_of(self, values: Mapping[str, Any]) -> list[InvalidField]:
        """Return the faults of the objects among some values of fields."""
        faults: list[InvalidField] = []
        for field in FIELDS:
            try:
                self.validate(field, values.get(field) or {})
            except InvalidField as fault:
                faults += [fault, *fault.other_failures]  # type: ignore[list-item]
        return faults

    def validating(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return changes of a user whose objects are validated when they are known."""
        return {
            name: self._when_known(name, value) if name in FIELDS else value
            for name, value in changes.items()
        }

    def _when_known(self, field: str, value: NewObject) -> Callable[..., dict[str, Any]]:
        def validated(current: Mapping[str, Any]) -> dict[str, Any]:
            new = value(current) if callable(value) else value
            # What was valid when it was stored stays so.
            return dict(new) if new == current else self.validate(field, new)

        return validated

    def _faults(self, field: str, value: Mapping[str, Any]) -> list[InvalidField]:
        if self._schema is None or not value or self._schema.is_valid({field: value}):
            return []
        errors = self._schema.errors({field: value})
        faults = (fault for error in errors for fault in _translated(error))
        return list(islice(faults, MAX_ERRORS))


def validate_size(field: str, value: Mapping[str, Any]) -> None:
    """Reject an object of more than 4 KB.

    Raises:
        InvalidField: It is larger.
    """
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_BYTES:
        raise InvalidField(field, f"The {field} has {size} bytes; the maximum is {MAX_BYTES}.")


def _translated(error: jsonschema_rs.ValidationError) -> Iterator[InvalidField]:
    """Yield the faults that a validation error is. None repeats a value."""
    field, *path = map(str, error.instance_path)
    kind: Any = error.kind
    if kind.name == "required":
        yield InvalidField(field, "It is missing.", [*path, kind.property])
    elif kind.name in ("additionalProperties", "unevaluatedProperties"):
        for name in kind.unexpected:
            yield InvalidField(field, "It is unknown here.", [*path, name])
    else:
        yield InvalidField(field, f"{error.message[:_MAX_SENTENCE]}.", path)
