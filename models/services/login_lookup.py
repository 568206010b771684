"""Look up a user by username or email in constant cost.

An unknown login costs the same database calls as a known one: reads go to a key that is never
used, and what is written is stored under a keyed digest of the login, since people type their
passwords into the wrong field.
"""

import hmac
from typing import Any

from models.db import db
from models.errors import UserNotFound
from models.tables import device as devices
from models.tables.identifier import Identifier, login_key
from models.tables.login_attempts import reserve
from models.tables.user import User

# Keys that never exist, read where there is nothing to look up, so that known and unknown logins
# cost the same calls (ASVS 6.3.8).
_UNUSED_KEY = "nobody"
_UNUSED_ID = "nobody"


class LoginLookup:
    """Finds users by username or email address.

    Args:
        key: Keys the digests of unknown logins, so that they reveal nothing to a reader of the
            tables. With another key, attempts at unknown logins are counted from zero.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def find(self, login: str, *others: tuple[Any, ...]) -> list[Any]:
        """Return the ID of the user with this username or email address, and other items.

        Args:
            login: The username or the email address.
            others: Keys of items to read in the same round trip.

        Returns:
            The ID, None if there is no such user, and the items in the order of their keys, None
            for each that does not exist.
        """
        key = login_key(login) or _UNUSED_KEY
        if others:
            row, *items = db.get_many((Identifier, key), *others)
            return [row and row.user_id, *items]
        try:
            return [Identifier.get(key, consistent_read=True).user_id]
        except Identifier.DoesNotExist:
            return [None]

    def find_by_email(self, email: str, device_token: str | None) -> tuple[User | None, bool]:
        """Return the user with this email address, or None; a username never matches.

        Args:
            email: The address as the caller wrote it.
            device_token: The token of a device.

        Returns:
            The user, and whether the device is known to be one of this user's.
        """
        user_id, *known = self.find(email if "@" in email else "", *devices.keys_of(device_token))
        user = find_user(user_id)
        return user, user is not None and devices.pick(known, user.id, device_token) is not None

    def unknown_login_key(self, login: str) -> str:
        """Return the key under which data about an unknown login is stored."""
        name = (login_key(login) or login).encode(errors="surrogatepass")
        return f"login#{hmac.digest(self._key, name, 'sha256').hex()}"


def find_user(user_id: str | None) -> User | None:
    """Return the user with this ID, or None; one read is made even for None."""
    try:
        return User.get(user_id or _UNUSED_ID, consistent_read=True)
    except User.DoesNotExist:
        return None


def reserve_attempt(user_id: str) -> User:
    """Reserve an attempt at a user's password; return the current user.

    Raises:
        TooManyAttempts: The next attempt has to wait.
        UserNotFound: The user is gone.
    """
    row = User(user_id)
    try:
        reserve(row, User.id.exists())
    except User.DoesNotExist:
        raise UserNotFound from None
    return row
