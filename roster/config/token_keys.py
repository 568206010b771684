"""The file with the keys of access tokens, for operators who do not keep them in the database."""

import logging
import os
import stat
from pathlib import Path

from models import InvalidKeySet, KeyPair, parse_private_keys
from roster.config.parsing import SettingError

log = logging.getLogger(__name__)

_VARIABLE = "ROSTER_TOKEN_KEYS_FILE"
# 10 keys of 4096 bits have 32 KB.
_MAX_BYTES = 128 * 1024


def read_token_keys(path: Path) -> tuple[KeyPair, ...]:
    """Return the keys in a file; the first one signs.

    Raises:
        SettingError: The file cannot be read or is not accepted. The text has no part of a key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
            mode = os.fstat(file.fileno()).st_mode
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a path").lower()
        raise SettingError(f"{_VARIABLE} must be the path of a readable file: {reason}.") from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingError(
            f"{_VARIABLE}: other users may write to {path}, so they could sign tokens. Run"
            " `chmod go-w` on it."
        )
    if mode & stat.S_IROTH:
        # Not an error: volumes of secrets in Kubernetes have this mode unless told otherwise.
        log.warning(
            "%s: every user of this computer may read %s. Run `chmod o-r` on it.", _VARIABLE, path
        )
    try:
        if len(content) > _MAX_BYTES:
            raise InvalidKeySet(f"it has more than {_MAX_BYTES // 1024} KB")
        return parse_private_keys(content)
    except InvalidKeySet as error:
        raise SettingError(f"{_VARIABLE}: {path} is no private JWKS: {error}.") from None
