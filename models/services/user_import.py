"""Users out of another system: with the hash it had of their password, or with none."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import EmailTaken, UsernameTaken
from models.security import legacy_hashes
from models.services import metadata as metadata_rules
from models.services.accounts import Accounts
from models.tables.audit_event import ANONYMOUS, Actor, EventType
from models.tables.identifier import normalize_email, normalize_username
from models.tables.user import Role, Status, User


class UserImport:
    """Operations that bring users in. Each is safe to repeat.

    Args:
        accounts: Where they go.
    """

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def add(self, *, by: Actor = ANONYMOUS, **details: Any) -> User | None:
        """Store a user, unless it is there already.

        The password was chosen under the rules of another system and is not known here, so that no
        rule is applied to it. No mail is sent: thousands may be imported at a time.

        Args:
            by: Who asks.
            details: See `new_user`.

        Returns:
            The user; None if the one who has the user name also has the address: it has come in
            before, and stays as it is now.

        Raises:
            InvalidField: A value that the rules refuse.
            UsernameTaken: Somebody else has the user name.
            EmailTaken: Somebody else has the address.
        """
        user = new_user(**details)
        try:
            self.accounts.add(user, EventType.USER_IMPORTED, by=by)
        except (UsernameTaken, EmailTaken):
            if self.accounts.find_named(user.username, user.email) is None:
                raise
            return None
        return user

    def rehearse(self, **details: Any) -> User | None:
        """What `add` would return or raise as things are now; nothing is stored."""
        user = new_user(**details)
        if self.accounts.find_named(user.username, user.email):
            return None
        for login, taken in ((user.username, UsernameTaken()), (user.email, EmailTaken())):
            if self.accounts.find(login):
                raise taken
        return user


def new_user(
    *,
    username: str,
    email: str,
    password_hash: str | None = None,
    full_name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    roles: Sequence[str] = (Role.USER,),
    status: str = Status.ACTIVE,
    email_verified: bool = False,
) -> User:
    """A user out of another system, not stored yet.

    Args:
        username: In any case.
        email: In any case.
        password_hash: As the other system wrote it. Without one the user can only come in by a
            reset of the password.
        full_name: As the user wants to be called.
        metadata: A JSON object.
        roles: What the user may do.
        status: Whether the user may sign in.
        email_verified: Whether the other system knows the address to be the user's.

    Raises:
        InvalidField: A value that the rules refuse.
    """
    return User.new(
        username=normalize_username(username),
        email=normalize_email(email),
        email_verified=email_verified,
        password_hash=None if password_hash is None else legacy_hashes.checked(password_hash),
        full_name=full_name,
        metadata=metadata_rules.checked(metadata or {}),
        roles=sorted(set(roles)),
        status=status,
    )
