"""Import users of another system, with the hashes of their passwords or without passwords."""

from collections.abc import Mapping
from typing import Any

from models.errors import EmailTaken, ExternalIdTaken, UsernameTaken, raise_together
from models.services.accounts import Accounts, build_user
from models.services.hooks import HookName
from models.tables.audit_event import ANONYMOUS, Actor, EventType
from models.tables.user import User


class UserImport:
    """Operations that import users. Each is safe to repeat.

    Args:
        accounts: Creates the users.
    """

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts

    def import_user(self, *, by: Actor = ANONYMOUS, **details: Any) -> User | None:
        """Store a user, unless it was imported before.

        The password policy is not applied, since the password itself is unknown. No email is
        sent, since an import can have thousands of users.

        Args:
            by: The caller.
            details: See `build_user`.

        Returns:
            The user; None if the owner of the username, where there is one, also has the email
            address: it was imported before and stays as it is.

        Raises:
            InvalidField: A value that the rules reject.
            UsernameTaken: Another user has the username.
            EmailTaken: Another user has the email address.
            ExternalIdTaken: Another user has the external ID.
        """
        user = self._build(details)
        if self.accounts.hooks.asks(HookName.BEFORE_REGISTRATION) and self._find(user):
            # A repeat changes nothing, so there is nothing to refuse.
            return None
        try:
            self.accounts.create(user, EventType.USER_IMPORTED, by=by, any_username=True)
        except (UsernameTaken, EmailTaken, ExternalIdTaken):
            if self._find(user) is None:
                raise
            return None
        return user

    def dry_run(self, **details: Any) -> User | None:
        """Return or raise what `import_user` would at present, without storing anything."""
        user = self._build(details)
        self.accounts.usernames.require_mode(user.username)
        raise_together(self.accounts.metadata_rules.faults_of(user.attribute_values))
        if self._find(user):
            return None
        for login, taken in ((user.username, UsernameTaken()), (user.email, EmailTaken())):
            if login is not None and self.accounts.find(login):
                raise taken
        if user.external_id and self.accounts.find_named(None, None, user.external_id):
            raise ExternalIdTaken
        return user

    def _find(self, user: User) -> User | None:
        return self.accounts.find_named(user.username, user.email)

    def _build(self, details: Mapping[str, Any]) -> User:
        # Before the roles are in another order, for the position of the wrong one.
        self.accounts.roles.require_known(details.get("roles", ()))
        user = build_user(**details)
        raise_together(self.accounts.faults_of({"email": user.email}, any_username=True))
        return user
