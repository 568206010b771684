"""IDs in URLs: accepted in any letter case, stored and shown in lower case."""

import re
from typing import Any

from flask import Flask

# The arguments of routes that are IDs.
_ARGUMENTS = ("id", "key_id", "client_id", "secret_id", "invitation_id")
_ID = re.compile("[0-9A-Fa-f-]{36,64}")


def init_app(app: Flask) -> None:
    """Lower the case of the IDs in every URL, before anything reads them."""
    app.url_value_preprocessor(_lower_ids)


def _lower_ids(endpoint: str | None, values: dict[str, Any] | None) -> None:
    for name in _ARGUMENTS:
        if values and name in values and _ID.fullmatch(values[name]):
            values[name] = values[name].lower()
