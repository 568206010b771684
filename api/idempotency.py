"""`@idempotent`: requests that their client may repeat after a lost response.

The header field is that of draft-ietf-httpapi-idempotency-key-header; its value is any text of
visible characters, compared to the letter.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from api.openapi.annotations import describe, error_responses, headers
from api.schemas import text_schema
from api.validation_errors import raise_one
from models import IdempotentRequest, field_rules

View = Callable[..., Any]

_HEADER = "Idempotency-Key"
_REPLAYED = "Idempotency-Replayed"
_DESCRIPTION = (
    "Different for each request, such as a random UUID. A repeat with the same key, within 24"
    " hours, is answered like the first request and changes nothing."
)


def idempotent(
    operation: str, *, target: str = "", has_body: bool = True
) -> Callable[[View], View]:
    """Read the idempotency key of a request; the view gets it as `repeatable`, which may be None.

    Belongs below the guard and the check of the body, so that a repeat needs the same rights, and
    above the serialization.

    Args:
        operation: The ID of the operation; keys of different operations are independent.
        target: The argument with the ID of what the operation changes; empty if that is the
            caller, or nothing.
        has_body: Whether the operation has a body, so that a key can come with another one.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def executed_once(*args: Any, **kwargs: Any) -> Any:
            repeatable = _read_request(operation, kwargs.get(target, ""), kwargs)
            response = view(*args, repeatable=repeatable, **kwargs)
            if repeatable and repeatable.is_replayed:
                response.headers[_REPLAYED] = "true"
            return response

        schema = text_schema(field_rules.IDEMPOTENCY_KEY, description=_DESCRIPTION)
        parameter = {name: part for name, part in schema.items() if name != "x-rule"}
        documented = describe(executed_once, params={_HEADER: {"in": "header", **parameter}})
        for_body = ("idempotency-key-reused",) if has_body else ()
        slugs = ("invalid-request", "idempotency-key-used", *for_body)
        return error_responses(*slugs)(headers(_REPLAYED)(documented))

    return decorate


def _read_request(
    operation: str, target: str, arguments: dict[str, Any]
) -> IdempotentRequest | None:
    key = request.headers.get(_HEADER)
    if key is None:
        return None
    rule = field_rules.IDEMPOTENCY_KEY
    if not rule.matches(key):
        raise_one(f"/{_HEADER}", rule.requirement)
    caller = arguments.get("caller")
    return IdempotentRequest(
        key=key,
        operation=operation,
        caller_id=caller.id if caller else None,
        body=arguments.get("payload", {}),
        target=target,
    )
