"""API keys: create, list, revoke and authenticate keys of programs that act for a user.

A key is valid for the lifetime that its owner chose, until it is revoked, and while its owner is
active; a new password does not end it.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import cast

from models import field_rules
from models.db import db
from models.email import Email, EmailKind, Mailer
from models.errors import (
    ApiKeyNotFound,
    InvalidField,
    SecondFactorNotUsed,
    Unauthenticated,
    UserNotFound,
)
from models.roles import BUILT_IN_ROLES, KnownRoles
from models.security import tokens
from models.security.idempotency import IdempotentRequest
from models.services.idempotency import Execution, Idempotency
from models.services.session_cleanup import remove_ended_sessions
from models.tables import api_key
from models.tables.api_key import API_KEY_PREFIX, ApiKey, ApiKeyLookup, Scope
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.session import AuthMethod
from models.tables.user import User, has_api_key_epoch, next_api_key_epoch

MAX_API_KEYS = 50


class ApiKeys:
    """Operations on API keys.

    Args:
        mailer: Notifies owners of new keys.
        idempotency: Executes requests once.
        roles: The roles that users can have.
    """

    def __init__(
        self,
        mailer: Mailer,
        idempotency: Idempotency | None = None,
        roles: KnownRoles = BUILT_IN_ROLES,
    ) -> None:
        self.mailer = mailer
        self._roles = roles
        self._idempotency = idempotency or Idempotency()

    def create(
        self,
        user: User,
        name: str,
        roles: Sequence[str],
        lifetime: timedelta,
        by: Actor,
        *,
        scopes: Collection[Scope] = (),
        request: IdempotentRequest | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key and notify its owner by email.

        A user has at most `MAX_API_KEYS` keys. They are counted before the key is written, so
        concurrent requests may exceed the limit by their number.

        Args:
            user: The owner, as the request read it.
            name: The owner's name for it.
            roles: The roles of the owner that it gets.
            lifetime: After how long it expires.
            by: The caller.
            scopes: What it may do besides.
            request: The request, if its client may send it again.

        Returns:
            The key and its token, which is not stored; those of an earlier execution of the
            request if there was one.

        Raises:
            InvalidField: The name is not 1 to 100 printable characters, one of the roles is not
                known, the owner lacks one of them, or has too many keys.
            Unauthenticated: The owner was suspended or deleted, or all its sessions were ended,
                since it was read.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The API key that the request created was revoked since.
            SecondFactorNotUsed: It was created in a session that has used a second factor.
        """
        _validate_name(name)
        _validate_roles(roles, user, self._roles)

        def create(execution: Execution) -> tuple[ApiKey, str]:
            if len(self.list_for(user)) >= MAX_API_KEYS:
                raise _TooManyKeys
            token = execution.make_token(API_KEY_PREFIX, user.id)
            key = ApiKey.new(user, name, roles, lifetime, by.amr, scopes, token=token)
            self._save(key, user, by, execution)
            self.mailer.send(Email.to_user(EmailKind.API_KEY_CREATED, user, detail=name))
            return key, token

        def show(execution: Execution, id: str) -> tuple[ApiKey, str] | None:
            key = _find_as_created(user.id, id)
            # A session without the second factor would have got a key without it.
            if key and key.used_second_factor and AuthMethod.OTP not in by.amr:
                raise SecondFactorNotUsed
            token = execution.make_token(API_KEY_PREFIX, user.id)
            return (key, token) if key and tokens.digest(token) == id else None

        return self._idempotency.run(request, by, create, show, conflicts=(_TooManyKeys,))

    def _save(self, key: ApiKey, user: User, by: Actor, execution: Execution) -> None:
        with by.transaction() as transaction:
            execution.record(transaction, key.id)
            # After the sessions of a stolen account have been ended, no new key may appear.
            transaction.condition_check(
                User,
                user.id,
                condition=(User.session_epoch == user.session_epoch)
                & has_api_key_epoch(user.api_key_epoch),
                otherwise=Unauthenticated(),
            )
            transaction.save(key)
            transaction.save(
                AuditEvent.create(EventType.API_KEY_CREATED, user.id, by, key_id=key.id)
            )

    def list_for(self, user: User) -> list[ApiKey]:
        """Return the valid keys of a user as read, newest first; strongly consistent."""
        keys = api_key.keys_of(user.id)
        return [key for key in keys if not key.has_expired and not key.is_revoked_for(user)]

    def revoke(self, user: User, id: str, by: Actor) -> None:
        """Revoke a key, effective at once.

        Raises:
            ApiKeyNotFound: The user has no such key.
        """
        if not field_rules.API_KEY_ID.matches(id):
            raise ApiKeyNotFound
        with by.transaction() as transaction:
            transaction.delete(
                ApiKey(user.id, id), ApiKey.key_digest.exists(), otherwise=ApiKeyNotFound()
            )
            transaction.save(AuditEvent.create(EventType.API_KEY_REVOKED, user.id, by, key_id=id))

    def revoke_all(self, user: User, by: Actor) -> None:
        """Revoke every key of a user, effective at once.

        Raises:
            UserNotFound: The user is gone.
        """
        event = AuditEvent.create(EventType.API_KEYS_REVOKED, user.id, by, needs_cleanup=True)
        with by.transaction() as transaction:
            transaction.update(
                user, [User.api_key_epoch.add(1)], User.id.exists(), otherwise=UserNotFound()
            )
            transaction.save(event)
        remove_ended_sessions(
            event,
            before_epoch=user.session_epoch,
            before_api_key_epoch=next_api_key_epoch(user),
        )

    def authenticate(self, token: str, *, other_user_id: str | None = None) -> ApiKeyLookup:
        """Return the active key of a token, and its owner, in one round trip.

        Args:
            token: The token that the caller presented.
            other_user_id: A second user to read in the same round trip.

        Raises:
            Unauthenticated: The token belongs to no active key of an active user.
        """
        return _admit(api_key.find(token, other_user_id=other_user_id))

    def authenticate_id(self, user_id: str, id: str) -> ApiKeyLookup:
        """Return an active key of a user, for an access token that was issued for it.

        Raises:
            Unauthenticated: The user has no active key with this ID.
        """
        return _admit(api_key.find_by_id(user_id, id))


def _admit(found: ApiKeyLookup | None) -> ApiKeyLookup:
    """Return a key that is active, and record that it is in use."""
    if found is None or not found.key.is_active_for(found.user):
        raise Unauthenticated
    found.key.touch()
    return found


class _TooManyKeys(InvalidField):
    """The owner has too many keys."""

    def __init__(self) -> None:
        super().__init__(
            "name", f"You have {MAX_API_KEYS} API keys, the maximum. Revoke one first."
        )


def _find_as_created(user_id: str, id: str) -> ApiKey | None:
    """Return a key as it was when it was created; None if it was revoked since."""
    key, owner = db.get_many((ApiKey, user_id, id), (User, user_id))
    if key is None or owner is None or not key.is_active_for(owner):
        return None
    # Shown, but no change of the key.
    key.last_used_at = None
    return cast(ApiKey, key)


def _validate_name(name: str) -> None:
    if not field_rules.API_KEY_NAME.matches(name):
        raise InvalidField("name", field_rules.API_KEY_NAME.requirement)


def _validate_roles(roles: Sequence[str], user: User, known: KnownRoles) -> None:
    known.require_known(roles)
    missing = sorted(set(roles) - set(user.roles))
    if missing:
        raise InvalidField(
            "roles", f"A key can only have roles of its owner, who lacks: {', '.join(missing)}."
        )
