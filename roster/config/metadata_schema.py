"""The file with the schema of metadata."""

from pathlib import Path

from models import InvalidSchema, MetadataRules, compile_schema
from roster.config.parsing import SettingError

_VARIABLE = "ROSTER_METADATA_SCHEMA"
# More than a schema may have, and a bound for what is no schema.
_MAX_BYTES = 1024 * 1024


def read_metadata_rules(path: Path | None) -> MetadataRules:
    """Return the rules of metadata with the schema in a file; without a file, those of size.

    Raises:
        SettingError: The file cannot be read or is not accepted.
    """
    if path is None:
        return MetadataRules()
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a path").lower()
        raise SettingError(f"{_VARIABLE} must be the path of a readable file: {reason}.") from None
    try:
        return MetadataRules(compile_schema(content))
    except InvalidSchema as error:
        raise SettingError(f"{_VARIABLE}: {path} is not accepted: {error}.") from None
