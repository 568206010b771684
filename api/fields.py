"""Field types that RESTX lacks."""

from datetime import UTC, datetime
from typing import Any

from flask_restx import fields


class _Nullable(fields.Raw):
    """Documents that a field can be null, which Swagger 2.0 cannot."""

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = super().schema()
        return {**schema, "x-nullable": True} if self.nullable else schema


class Text(_Nullable, fields.String):
    """A string, or null where `nullable` is set."""


class Timestamp(_Nullable):
    """A UTC timestamp as in RFC 3339, to the second."""

    __schema_type__ = "string"
    __schema_format__ = "date-time"

    def format(self, value: datetime) -> str:
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return f"{value.isoformat()[:19]}Z"


class Object(fields.Raw):
    """A JSON object that belongs to the client."""

    __schema_type__ = "object"
