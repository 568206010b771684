"""A user's metadata: a JSON object of the client's own, small, changed by merge patch."""

import json
from collections.abc import Mapping
from typing import Any

from models.errors import InvalidField

# The contract's bound, on the UTF-8 bytes of the object written without spaces.
MAX_BYTES = 4096


def checked(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata as they will be stored.

    Raises:
        InvalidField: They are larger than 4 KB.
    """
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_BYTES:
        raise InvalidField("metadata", f"The metadata have {size} bytes; {MAX_BYTES} are the most.")
    return dict(metadata)


def merged(target: Any, patch: Any) -> Any:
    """The target after an RFC 7396 merge patch: null removes a member, objects merge."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
