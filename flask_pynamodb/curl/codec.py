"""DynamoDB's JSON: binary values are bytes here and base64 there."""

import json
from base64 import b64encode
from binascii import a2b_base64
from typing import Any

import orjson


def encode(request: dict[str, Any]) -> bytes:
    """The body of a request."""
    try:
        return orjson.dumps(request, default=_as_base64)
    except orjson.JSONEncodeError:
        # What orjson refuses (a lone surrogate, a key of a subclass of str), the standard library
        # sends as botocore would, and DynamoDB says what it thinks of it.
        return json.dumps(request, default=_as_base64).encode()


def decode(body: bytes) -> Any:
    """The value in the body of a reply.

    Raises:
        ValueError: It is no JSON, or has a binary value that is no base64.
    """
    value = orjson.loads(body)
    # Few items have binary values, and the search takes a hundredth of the walk.
    if b'"B"' in body or b'"BS"' in body:
        _restore_bytes(value)
    return value


def _as_base64(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} cannot be sent to DynamoDB")


def _restore_bytes(value: Any) -> None:
    # An attribute may be called B or BS too, but then what it holds is an object: only a binary
    # value is a string there, and only a set of them an array. A list of its own instead of
    # recursion: nothing that a server sends may overflow the stack.
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
