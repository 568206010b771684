"""Encode and decode DynamoDB's JSON, in which binary values are base64."""

import json
from base64 import b64encode
from binascii import a2b_base64
from typing import Any

import orjson


def encode(request: dict[str, Any]) -> bytes:
    """Return the body of a request."""
    try:
        return orjson.dumps(request, default=_as_base64)
    except orjson.JSONEncodeError:
        # The standard library encodes values that orjson rejects (a lone surrogate, a key of a
        # subclass of str) as botocore does; DynamoDB validates them.
        return json.dumps(request, default=_as_base64).encode()


def decode(body: bytes) -> Any:
    """Return the value in the body of a response.

    Raises:
        ValueError: It is not JSON, or a binary value is not base64.
    """
    value = orjson.loads(body)
    # Few items have binary values, and this search takes a hundredth of the time.
    if b'"B"' in body or b'"BS"' in body:
        _restore_bytes(value)
    return value


def _as_base64(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} cannot be sent to DynamoDB")


def _restore_bytes(value: Any) -> None:
    # An attribute may be called B or BS too, but then its value is an object: only a binary value
    # is a string, and only a set of them is an array. A list instead of recursion, so that no
    # response can overflow the stack.
    to_visit = [value]
    for node in to_visit:
        if isinstance(node, list):
            to_visit.extend(node)
        elif isinstance(node, dict):
            for key, part in node.items():
                if key == "B" and isinstance(part, str):
                    node[key] = a2b_base64(part)
                elif key == "BS" and isinstance(part, list):
                    node[key] = [a2b_base64(each) for each in part]
                elif isinstance(part, (dict, list)):
                    to_visit.append(part)
