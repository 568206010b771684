"""What people call themselves, and who that is: found at the same cost whether there is one or not.

Where there is nobody, reads go to a key that nobody has, and what is written is kept under a
keyed digest of the login: people type their passwords there by mistake.
"""

import hashlib
import hmac

from models.errors import UserNotFound
from models.tables.identifier import Identifier, login_key
from models.tables.login_attempts import reserve
from models.tables.user import User

# A claim and an id that nobody has: looked up where there is nothing to look up, so that a known
# and an unknown login cost the same calls (ASVS 6.3.8).
_NO_CLAIM = "nobody"
_NO_ID = "nobody"


class LoginLookup:
    """Looks logins up.

    Args:
        key: Makes the digests of unknown logins worthless to whoever reads the tables.
    """

    def __init__(self, key: str = "") -> None:
        self._key = hashlib.sha256(b"roster logins " + key.encode()).digest()

    def find_user_id(self, login: str) -> str | None:
        """The id of the user with this user name or address, None if nobody has it."""
        try:
            claim = login_key(login) or _NO_CLAIM
            return str(Identifier.get(claim, consistent_read=True).owner)
        except Identifier.DoesNotExist:
            return None

    def find_by_email(self, email: str) -> User | None:
        """The user with this address; a user name is none."""
        return find_user(self.find_user_id(email if "@" in email else ""))

    def unknown_login_key(self, login: str) -> str:
        """The key under which something is kept about a login that nobody has."""
        name = (login_key(login) or login).encode(errors="surrogatepass")
        return f"login#{hmac.digest(self._key, name, 'sha256').hex()}"


def find_user(user_id: str | None) -> User | None:
    """The user with this id; a read is made even for none."""
    try:
        return User.get(user_id or _NO_ID, consistent_read=True)  # type: ignore[no-any-return]
    except User.DoesNotExist:
        return None


def reserve_attempt(user_id: str) -> User:
    """Reserve a try at a user's password; the user as of now.

    Raises:
        TooManyAttempts: The next try has to wait.
        UserNotFound: The user is gone.
    """
    row = User(user_id)
    try:
        reserve(row, User.id.exists())
    except User.DoesNotExist:
        raise UserNotFound from None
    return row
