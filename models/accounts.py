"""What Roster does with accounts: register, find, list, change, delete.

Each operation that writes is one transaction: the user, the claims on its names, the number of
admins and the event that tells of it change together or not at all. Nothing is asked first;
conditions decide, so that no two callers can both be told yes.
"""

import math
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models import metadata as metadata_rules
from models.counter import count_admin
from models.db import db
from models.errors import (
    Contended,
    EmailTaken,
    InvalidMember,
    Unauthenticated,
    UsernameTaken,
    UserNotFound,
    VersionMismatch,
    WrongPassword,
)
from models.event import NOBODY, Actor, Event, EventType
from models.identifier import (
    Identifier,
    claim_of_login,
    email_claim,
    normalize_email,
    normalize_username,
    username_claim,
)
from models.moment import now
from models.passwords import Passwords
from models.session import Session
from models.sweep import sweep
from models.user import Role, Status, User, UserFilter, is_user_id, newest_first

# How often a change is tried on a user that others keep changing. Of those who try at the same
# time one succeeds in each round, so this is also how many may; it takes some three seconds.
_TRIES = 60
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
# The versions that a caller lets a change apply to; None for any.
Versions = Collection[int] | None
_CHANGEABLE = ("username", "email", "full_name", "metadata", "roles", "status")


class Accounts:
    """Operations on accounts under one password policy."""

    def __init__(self, passwords: Passwords) -> None:
        self.passwords = passwords

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
        by: Actor = NOBODY,
    ) -> User:
        """Make a user with a claim on its user name and address.

        Raises:
            InvalidMember: The user name or address cannot be one, or the password is weak.
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
            roles=_in_order(roles),
            status=status,
        )
        with db.transaction() as transaction:
            for claim, taken in (
                (username_claim(username), UsernameTaken()),
                (email_claim(email), EmailTaken()),
            ):
                Identifier.claim(transaction, claim, user.id, otherwise=taken)
            transaction.save(user, User.id.does_not_exist())
            transaction.save(Event.of(EventType.USER_REGISTERED, user.id, by))
            count_admin(transaction, int(user.may_administer))
        return user

    def get(self, user_id: str) -> User:
        """A user as of now.

        Raises:
            UserNotFound: There is none with this id.
        """
        if not is_user_id(user_id):
            raise UserNotFound
        try:
            return User.get(user_id, consistent_read=True)  # type: ignore[no-any-return]
        except User.DoesNotExist:
            raise UserNotFound from None

    def find(self, login: str) -> User | None:
        """The user with this user name or address, whatever its case."""
        claim = claim_of_login(login)
        return self._find_by_claim(claim) if claim else None

    def find_named(self, username: str | None, email: str | None) -> User | None:
        """The one user who has this user name and this address, where each is given."""
        try:
            claims = [
                *([username_claim(normalize_username(username))] if username is not None else []),
                *([email_claim(normalize_email(email))] if email is not None else []),
            ]
        except InvalidMember:
            return None
        found = self._find_by_claim(claims[0])
        return found if found and _claims_of(found).issuperset(claims) else None

    def newest_first(
        self, chosen: UserFilter, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[User], str | None]:
        """Some users, newest first, and the id to go on after; see `models.user.newest_first`."""
        return newest_first(chosen, after=after, limit=limit)

    def update(
        self,
        user: User,
        changes: Mapping[str, Any],
        *,
        versions: Versions = None,
        by: Actor = NOBODY,
    ) -> User:
        """Change some members of a user.

        Args:
            user: The user as the caller read it; read again if it has changed since.
            changes: New values of username, email, full_name, metadata, roles or status.
            versions: Refuse unless the user is at one of these versions.
            by: Who asks.

        Returns:
            The user after the change.

        Raises:
            InvalidMember: The user name or address cannot be one.
            UsernameTaken: Somebody has the user name.
            EmailTaken: Somebody has the address.
            LastAdmin: Nobody would be left to administer.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is gone.
            Contended: Others keep changing the user.
        """
        changes = _normalized(changes)
        after: User = self._settle(user, versions, lambda current: _change(current, changes, by))
        return after

    def change_password(
        self,
        user: User,
        *,
        current_password: str,
        new_password: str,
        session: Session,
        by: Actor = NOBODY,
    ) -> None:
        """Set a new password and end every session of the user but this one.

        Raises:
            WrongPassword: The current password is wrong.
            WeakPassword: The new one is weak.
            Unauthenticated: The session was ended in the meantime.
        """
        self.passwords.refuse_weak(
            new_password, user.username, user.email, user.full_name or "", member="new_password"
        )

        def change(before: User) -> None:
            if not self.passwords.verify(current_password, before.password_hash)[0]:
                raise WrongPassword
            after = _altered(before, password_hash=self.passwords.hash(new_password))
            after.epoch += 1
            event = Event.of(EventType.PASSWORD_CHANGED, before.id, by, sweeps=True)
            with db.transaction() as transaction:
                _write(transaction, before, after)
                transaction.update(
                    session,
                    [Session.epoch.set(after.epoch)],
                    Session.token_digest.exists(),
                    otherwise=Unauthenticated(),
                )
                transaction.save(event)
            sweep(event, before_epoch=after.epoch)

        self._settle(user, None, change)

    def delete(self, user: User, *, versions: Versions = None, by: Actor = NOBODY) -> None:
        """Delete a user; its names are free at once and its sessions are dead.

        Raises:
            LastAdmin: Nobody would be left to administer.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is gone already.
        """

        def remove(current: User) -> None:
            event = Event.of(EventType.USER_DELETED, current.id, by, sweeps=True)
            with db.transaction() as transaction:
                transaction.delete(current, _unchanged(current), otherwise=VersionMismatch())
                # A claim that moved with the user meanwhile: read the user again.
                for claim in _claims_of(current):
                    Identifier.release(transaction, claim, user.id, otherwise=VersionMismatch())
                transaction.save(event)
                count_admin(transaction, -int(current.may_administer))
            sweep(event, before_epoch=math.inf)

        self._settle(user, versions, remove)

    def _find_by_claim(self, claim: str) -> User | None:
        try:
            return self.get(Identifier.get(claim, consistent_read=True).owner)
        except (Identifier.DoesNotExist, UserNotFound):
            return None

    def _settle(self, user: User, versions: Versions, change: Callable[[User], Any]) -> Any:
        """Apply a change to the user, reading it again whenever somebody else was faster."""
        for attempt in range(_TRIES):
            if versions is not None and user.version not in versions:
                raise VersionMismatch
            try:
                return change(user)
            except VersionMismatch:
                # Jitter only has to differ from thread to thread; it guards nothing.
                wait = min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS)
                time.sleep(random.random() * wait)  # nosec B311
                user = self.get(user.id)
        raise Contended


def _normalized(changes: Mapping[str, Any]) -> dict[str, Any]:
    rules: dict[str, Callable[[Any], Any]] = {
        "username": normalize_username,
        "email": normalize_email,
        "roles": _in_order,
    }
    return {name: rules.get(name, _as_is)(value) for name, value in changes.items()}


def _change(before: User, changes: Mapping[str, Any], by: Actor) -> User:
    values = dict(changes)
    if "metadata" in values:
        values["metadata"] = metadata_rules.checked(
            metadata_rules.merged(before.metadata, values["metadata"]) or {}
        )
    after = _altered(before, **values).classify()
    old, new = before.serialize(), after.serialize()
    members = tuple(name for name in _CHANGEABLE if old.get(name) != new.get(name))
    if not members:
        return before
    ends_sessions = before.is_active and not after.is_active
    after.epoch += int(ends_sessions)
    event = Event.of(_kind(before, after), before.id, by, members=members, sweeps=ends_sessions)
    with db.transaction() as transaction:
        _swap(transaction, before, after, username_claim, "username", UsernameTaken())
        if _swap(transaction, before, after, email_claim, "email", EmailTaken()):
            after.email_verified = False
        _write(transaction, before, after)
        transaction.save(event)
        count_admin(transaction, after.may_administer - before.may_administer)
    if ends_sessions:
        sweep(event, before_epoch=after.epoch)
    return after


def _kind(before: User, after: User) -> EventType:
    if before.status == after.status:
        return EventType.USER_UPDATED
    return EventType.USER_REACTIVATED if after.is_active else EventType.USER_SUSPENDED


def _altered(user: User, **values: Any) -> User:
    """A copy of the user with other values, as the next version."""
    after = User(**user.attribute_values)
    after.version += 1
    after.updated_at = now()
    for name, value in values.items():
        setattr(after, name, value)
    return after


def _write(transaction: Transaction, before: User, after: User) -> None:
    """Write what differs: a sign-in at the same time keeps its last_login_at.

    The values are handed on serialised, since PynamoDB takes a dictionary such as
    {"S": "x"}, which metadata may well be, for a value in DynamoDB's own notation.
    """
    old, new = before.serialize(), after.serialize()
    actions = [
        getattr(User, name).set(new[name]) if name in new else getattr(User, name).remove()
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    ]
    transaction.update(before, actions, _unchanged(before), otherwise=VersionMismatch())


def _unchanged(user: User) -> Condition:
    unchanged: Condition = (User.version == user.version) & (User.epoch == user.epoch)
    return unchanged


def _claims_of(user: User) -> set[str]:
    return {username_claim(user.username), email_claim(user.email)}


def _swap(
    transaction: Transaction,
    before: User,
    after: User,
    claim_of: Callable[[str], str],
    member: str,
    taken: Exception,
) -> bool:
    old, new = claim_of(getattr(before, member)), claim_of(getattr(after, member))
    return Identifier.swap(transaction, before.id, old, new, taken=taken, stale=VersionMismatch())


def _in_order(roles: Sequence[str]) -> list[str]:
    return sorted(set(roles))


def _as_is(value: Any) -> Any:
    return value
