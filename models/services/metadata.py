"""The size limit of a user's metadata, a JSON object that belongs to the client."""

import json
from collections.abc import Mapping
from typing import Any

from models.errors import InvalidField

# The limit of the API contract, in UTF-8 bytes of the object written without spaces.
MAX_BYTES = 4096


def validate_size(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata as stored.

    Raises:
        InvalidField: They are larger than 4 KB.
    """
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_BYTES:
        raise InvalidField(
            "metadata", f"The metadata has {size} bytes; the maximum is {MAX_BYTES}."
        )
    return dict(metadata)
