"""TOTP secrets in the form of version 0.6 and earlier, which are opened but no longer written.

passlib encrypted them with AES-CTR, without authentication: a wrong key is not noticed, it only
yields another secret. Each value has the tag of its key. Tag 0 is a key derived from the secret
key of that time, and does not tell which one that was.
"""

import hmac
import json
from collections.abc import Mapping, Sequence

from passlib.totp import TOTP

from models.errors import UnreadableSecret

DERIVED_TAG = "0"


class LegacyTotpSecrets:
    """Opens TOTP secrets in the form of version 0.6 and earlier.

    Args:
        secret_keys: Each key that may have been the secret key.
        by_tag: The secrets of ROSTER_TOTP_SECRETS, by tag.
    """

    def __init__(self, secret_keys: Sequence[str], by_tag: Mapping[str, str]) -> None:
        secrets = {tag: [secret] for tag, secret in by_tag.items()}
        secrets.setdefault(DERIVED_TAG, []).extend(map(_derive, secret_keys))
        self._factories = {
            tag: [TOTP.using(secrets={tag: secret}) for secret in each]
            for tag, each in secrets.items()
        }

    @property
    def tags(self) -> list[str]:
        """The tags whose values can be opened."""
        return list(self._factories)

    def open(self, stored: str) -> list[bytes]:
        """Return the possible secrets: one for each key that may have encrypted the value.

        Raises:
            UnreadableSecret: No key has its tag, or it has another form.
        """
        tag = tag_of(stored)
        if tag not in self._factories:
            raise UnreadableSecret(
                "it has no known form"
                if tag is None
                else f"it is encrypted with the tag {tag}, which is not in ROSTER_TOTP_SECRETS"
            )
        try:
            opened = [factory.from_json(stored).key for factory in self._factories[tag]]
        except (ValueError, TypeError, KeyError):
            raise UnreadableSecret("it has no known form") from None
        return list(dict.fromkeys(opened))


def tag_of(stored: str) -> str | None:
    """Return the tag of a value in this form, None if it has another form."""
    try:
        tag = json.loads(stored)["enckey"]["t"]
    except (ValueError, TypeError, KeyError):
        return None
    return tag if isinstance(tag, str) else None


def _derive(secret_key: str) -> str:
    return hmac.digest(secret_key.encode(), b"roster second factors", "sha256").hex()
