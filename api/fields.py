"""The kinds of values that RESTX has no field for."""

from datetime import UTC, datetime
from typing import Any

from flask_restx import fields


class _Nullable(fields.Raw):
    """Says in the API description that a member can be null, which Swagger 2.0 cannot."""

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = super().schema()
        return {**schema, "x-nullable": True} if self.nullable else schema


class Text(_Nullable, fields.String):
    """A string, null where `nullable` is given and there is none."""


class Timestamp(_Nullable):
    """A moment in UTC as RFC 3339 writes it, to the second."""

    __schema_type__ = "string"
    __schema_format__ = "date-time"

    def format(self, value: datetime) -> str:
        return f"{value.astimezone(UTC).isoformat()[:19]}Z"


class Object(fields.Raw):
    """A JSON object with members of the client's own."""

    __schema_type__ = "object"
