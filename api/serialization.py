"""Serialization: RESTX's `marshal_with`, compiled once for each schema.

RESTX traverses the schema for every response and negotiates a mask and a media type each time.
Here the traversal happens when the view is declared; a missing value is an error, not a null.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

from flask import Response
from flask_restx import Model, fields
from flask_restx.marshalling import make
from flask_restx.utils import unpack

from api.openapi.annotations import View, describe
from api.responses import json_response

Marshal = Callable[[Any], Any]

_NO_VALUES: Mapping[str, Any] = {}
_BUILT_INS: Mapping[Any, Marshal | None] = {
    fields.Raw.format: None,
    fields.String.format: str,
    fields.Boolean.format: bool,
}


def marshal_with(
    schema: Model,
    *,
    code: int = 200,
    description: str | None = None,
    others: Mapping[int, str] = MappingProxyType({}),
) -> Callable[[View], View]:
    """Respond with what a view returns, serialized by a schema, and document that.

    A view with several successful responses returns the others as they are.

    Args:
        schema: The schema.
        code: The status of a response whose view does not return one.
        description: The description of the response in the API document.
        others: Descriptions of the same response with other statuses.
    """
    marshal = compiled(schema)

    def decorate(view: View) -> View:
        @wraps(view)
        def marshalled(*args: Any, **kwargs: Any) -> Any:
            result = view(*args, **kwargs)
            if isinstance(result, Response):
                return result
            data, status, headers = unpack(result, code)
            return json_response(marshal(data), status, headers)

        texts = {code: description, **others}
        responses: dict[str, Any] = {str(key): (text, schema, {}) for key, text in texts.items()}
        return describe(marshalled, responses=responses)  # type: ignore[return-value]

    return decorate


def compiled(schema: Model) -> Marshal:
    """Return a function that serializes a dict or an object by a schema.

    Raises:
        TypeError: The schema has a field that only RESTX can serialize.
    """
    parts = tuple(
        (name, field.attribute or name, _converter(name, field))
        for name, field in zip(schema.resolved, map(make, schema.resolved.values()), strict=True)
    )

    def marshal(data: Any) -> dict[str, Any]:
        is_record = isinstance(data, dict)
        # The descriptors of PynamoDB take longer than all conversions together.
        values = data if is_record else getattr(data, "attribute_values", _NO_VALUES)
        shown: dict[str, Any] = {}
        for name, source, convert in parts:
            value = values[source] if is_record or source in values else getattr(data, source)
            shown[name] = value if value is None or convert is None else convert(value)
        return shown

    return marshal


def _converter(name: str, field: fields.Raw) -> Marshal | None:
    """Return the conversion of a field; None if its values stay unchanged."""
    is_simple = field.default is None and not callable(field.attribute)
    if not is_simple or isinstance(field, (fields.Wildcard, fields.Polymorph)):
        raise TypeError(f"The field {name!r} has a default or a type that cannot be compiled.")
    if isinstance(field, fields.Nested):
        return compiled(field.model)
    if isinstance(field, fields.List):
        convert = _converter(name, field.container)
        return list if convert is None else lambda values: [convert(value) for value in values]
    # The methods of RESTX that only call a built-in function.
    return _BUILT_INS.get(type(field).format, field.format)
