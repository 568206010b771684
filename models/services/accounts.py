"""What Roster does with accounts: register, find, list, change, delete.

Each operation that writes is one transaction: the user, the claims on its names, the number of
admins and the event that tells of it change together or not at all. Nothing is asked first;
conditions decide, so that no two callers can both be told yes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from models.db import db
from models.email import Email, EmailKind
from models.errors import (
    EmailTaken,
    InvalidField,
    UsernameTaken,
    UserNotFound,
    VersionMismatch,
)
from models.security.passwords import Passwords
from models.services import metadata as metadata_rules
from models.services import second_factors
from models.services.account_emails import TokenEmail
from models.services.changes import Versions, get, reserved_keys, retry_on_conflict, unchanged
from models.services.email_verification import EmailVerification, refuse_taken
from models.services.session_cleanup import sweep
from models.services.user_update import apply_update, normalize_roles, normalized
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.counter import count_admin
from models.tables.identifier import (
    Identifier,
    email_key,
    login_key,
    normalize_email,
    normalize_username,
    username_key,
)
from models.tables.user import Role, Status, User, UserFilter, newest_first


class Accounts:
    """Operations on accounts.

    Args:
        passwords: The policy.
        confirmations: Sees to it that addresses are their users'.
        mails_new_users: Whether who registers is asked to confirm the address at once.
    """

    def __init__(
        self,
        passwords: Passwords,
        confirmations: EmailVerification,
        *,
        mails_new_users: bool = False,
    ) -> None:
        self.passwords = passwords
        self.confirmations = confirmations
        self.mails_new_users = mails_new_users and confirmations.requests.mailer.is_configured

    def register(
        self,
        *,
        username: str,
        email: str,
        password: str,
        full_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        roles: Sequence[str] = (Role.USER,),
        status: str = Status.ACTIVE,
        by: Actor = ANONYMOUS,
    ) -> User:
        """Make a user with a claim on its user name and address.

        Raises:
            InvalidField: The user name or address cannot be one, or the password is weak.
            UsernameTaken: Somebody has the user name.
            EmailTaken: Somebody has the address, in whatever case.
        """
        username, email = normalize_username(username), normalize_email(email)
        self.passwords.refuse_weak(password, username, email, full_name or "")
        user = User.new(
            username=username,
            email=email,
            password_hash=self.passwords.hash(password),
            full_name=full_name,
            metadata=metadata_rules.checked(metadata or {}),
            roles=normalize_roles(roles),
            status=status,
        )
        prepared = self._prepare_for(user)
        self.add(user, EventType.USER_REGISTERED, by=by, prepared=prepared)
        if prepared:
            self.confirmations.requests.mailer.send(prepared.mail)
        return user

    def add(
        self, user: User, type: EventType, *, by: Actor, prepared: TokenEmail | None = None
    ) -> None:
        """Store a new user with a claim on its user name and address.

        Args:
            user: The user; its members are as the rules want them.
            type: How it came, as its first event names it.
            by: Who asks.
            prepared: A token to store with it.

        Raises:
            UsernameTaken: Somebody has the user name.
            EmailTaken: Somebody has the address, in whatever case.
        """
        with db.transaction() as transaction:
            for claim, taken in (
                (username_key(user.username), UsernameTaken()),
                (email_key(user.email), EmailTaken()),
            ):
                Identifier.claim(transaction, claim, user.id, otherwise=taken)
            transaction.save(user, User.id.does_not_exist())
            transaction.save(AuditEvent.create(type, user.id, by))
            count_admin(transaction, int(user.is_active_admin))
            if prepared:
                transaction.save(prepared.row)

    def get(self, user_id: str) -> User:
        """A user as of now.

        Raises:
            UserNotFound: There is none with this id.
        """
        return get(user_id)

    def find(self, login: str) -> User | None:
        """The user with this user name or address, whatever its case."""
        claim = login_key(login)
        return self._find_by_claim(claim) if claim else None

    def find_named(self, username: str | None, email: str | None) -> User | None:
        """The one user who has this user name and this address, where each is given."""
        try:
            claims = [
                *([username_key(normalize_username(username))] if username is not None else []),
                *([email_key(normalize_email(email))] if email is not None else []),
            ]
        except InvalidField:
            return None
        found = self._find_by_claim(claims[0])
        return found if found and reserved_keys(found).issuperset(claims) else None

    def newest_first(
        self, chosen: UserFilter, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[User], str | None]:
        """Some users, newest first, and the id to go on after; see `tables.user`."""
        return newest_first(chosen, after=after, limit=limit)

    def update(
        self,
        user: User,
        changes: Mapping[str, Any],
        *,
        versions: Versions = None,
        confirms_email: bool = False,
        by: Actor = ANONYMOUS,
    ) -> User:
        """Change some members of a user.

        Args:
            user: The user as the caller read it; read again if it has changed since.
            changes: New values of username, email, full_name, metadata, roles or status.
            versions: Refuse unless the user is at one of these versions.
            confirms_email: Whether a new address has to be confirmed before it counts, where
                mails can be sent. Until then it is the user's `pending_email`.
            by: Who asks.

        Returns:
            The user after the change.

        Raises:
            InvalidField: The user name or address cannot be one.
            UsernameTaken: Somebody has the user name.
            EmailTaken: Somebody has the address.
            LastAdmin: Nobody would be left to administer.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is gone.
            Contended: Others keep changing the user.
            TooManyRequests: The account had its mails of this hour.
        """
        changes = normalized(changes)
        requests = self.confirmations.requests
        if "email" in changes and confirms_email and requests.mailer.is_configured:
            return self._update_and_confirm(user, changes, versions, by)
        if "email" in changes:
            changes["pending_email"] = None
        after = retry_on_conflict(
            user, versions, lambda current: apply_update(current, changes, by)
        )
        if after.email != user.email:
            requests.mailer.send(Email(EmailKind.EMAIL_CHANGED, user.email, user.username))
        return after

    def delete(self, user: User, *, versions: Versions = None, by: Actor = ANONYMOUS) -> None:
        """Delete a user; its names are free at once and its sessions are dead.

        Raises:
            LastAdmin: Nobody would be left to administer.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is gone already.
        """

        def remove(current: User) -> None:
            event = AuditEvent.create(EventType.USER_DELETED, current.id, by, sweeps=True)
            with db.transaction() as transaction:
                transaction.delete(current, unchanged(current), otherwise=VersionMismatch())
                # A claim that moved with the user meanwhile: read the user again.
                for claim in reserved_keys(current):
                    Identifier.release(transaction, claim, user.id, otherwise=VersionMismatch())
                second_factors.forget(transaction, current)
                transaction.save(event)
                count_admin(transaction, -int(current.is_active_admin))
            sweep(event, before_epoch=math.inf)

        retry_on_conflict(user, versions, remove)

    def _update_and_confirm(
        self, user: User, changes: Mapping[str, Any], versions: Versions, by: Actor
    ) -> User:
        """Change a user, but its address only when the new one is confirmed."""
        values = dict(changes)
        address = values.pop("email")
        # The same address in another case needs no mail: it is one already.
        is_new = email_key(address) != email_key(user.email)
        values.update(pending_email=address if is_new else None)
        if not is_new:
            return retry_on_conflict(
                user, versions, lambda now: apply_update(now, {**values, "email": address}, by)
            )
        refuse_taken(user, address)
        self.confirmations.requests.admit(user, "email-change")
        prepared = self.confirmations.prepare(user, address, is_new=True)
        after = retry_on_conflict(
            user, versions, lambda now: apply_update(now, values, by, prepared)
        )
        for mail in (
            prepared.mail,
            Email(EmailKind.EMAIL_CHANGE_REQUESTED, user.email, user.username, detail=address),
        ):
            self.confirmations.requests.mailer.send(mail)
        return after

    def _prepare_for(self, user: User) -> TokenEmail | None:
        if not (self.mails_new_users and user.is_active):
            return None
        return self.confirmations.prepare(user, user.email)

    def _find_by_claim(self, claim: str) -> User | None:
        try:
            return self.get(Identifier.get(claim, consistent_read=True).owner)
        except (Identifier.DoesNotExist, UserNotFound):
            return None
