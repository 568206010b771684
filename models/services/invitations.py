"""Invitations: an admin invites an email address, and its owner creates the account.

An invitation is accepted with the emailed token, in the transaction that creates the user. It
counts only while the admin who sent it may invite: the condition is part of the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.db import db
from models.email import Email, EmailKind
from models.errors import (
    AlreadyInvited,
    EmailTaken,
    ExternalIdTaken,
    InvalidField,
    InvalidInvitation,
    InvitationNotFound,
    InvitationOutdated,
    TooManyConflicts,
    TooManyRequests,
    UsernameTaken,
    VersionMismatch,
    raise_together,
)
from models.locales import normalize_locale
from models.roles import Role
from models.security.idempotency import IdempotentRequest
from models.services.accounts import Accounts, build_user, user_as_created
from models.services.idempotency import Execution, Idempotency
from models.services.user_update import normalize_roles
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.identifier import (
    Identifier,
    email_key,
    external_key,
    find_owner,
    invitation_key,
    normalize_email,
    normalize_external_id,
)
from models.tables.invitation import (
    Invitation,
    find_invitation,
    get_by_token,
    list_invitations,
)
from models.tables.user import User, is_user_id

_Result = TypeVar("_Result")
# Attempts to change an invitation that is being changed concurrently.
_MAX_ATTEMPTS = 10


class Invitations:
    """Operations on invitations.

    Args:
        accounts: Creates the users; its rules apply to what an invitation gives, too.
        lifetime: How long an invitation is valid.
        requires_second_factor: Whether the rights of an admin require a second factor.
        idempotency: Executes requests once.
    """

    def __init__(
        self,
        accounts: Accounts,
        lifetime: timedelta = timedelta(days=7),
        *,
        requires_second_factor: bool = False,
        idempotency: Idempotency | None = None,
    ) -> None:
        self.lifetime = lifetime
        self._accounts = accounts
        self._emails = accounts.email_verification.emails
        self._requires_second_factor = requires_second_factor
        self._idempotency = idempotency or Idempotency()

    def create(
        self,
        email: str,
        *,
        roles: Sequence[str] = (Role.USER,),
        app_metadata: Mapping[str, Any] | None = None,
        external_id: str | None = None,
        locale: str | None = None,
        by: Actor = ANONYMOUS,
        request: IdempotentRequest | None = None,
    ) -> Invitation:
        """Invite an email address.

        Args:
            email: In any case; its domain may be closed to sign-ups.
            roles: The roles of the user that accepts.
            app_metadata: Its `app_metadata`.
            external_id: Its ID in another system.
            locale: The language of the email, and the user's.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The invitation, or the one that an earlier execution of the request has created.

        Raises:
            EmailNotConfigured: No way to send email is configured.
            InvalidField: The address, a role, an ID or an object is not valid.
            EmailTaken: A user has the address.
            AlreadyInvited: The address has a pending invitation.
            ExternalIdTaken: A user has the external ID.
            TooManyRequests: The hourly quota of the address is exhausted.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The invitation was sent again, accepted or revoked since.
        """
        raise_together(
            self.faults_of({"email": email, "roles": roles, "app_metadata": app_metadata})
        )
        row, token = Invitation.new(
            normalize_email(email),
            roles=normalize_roles(roles),
            app_metadata=app_metadata,
            external_id=normalize_external_id(external_id),
            locale=normalize_locale(locale),
            invited_by=by.user_id,
            lifetime=self.lifetime,
        )

        def create(execution: Execution) -> Invitation:
            self._check_quota(row.email)
            with by.transaction() as transaction:
                execution.record(transaction, row.id)
                _require_new_user(transaction, row)
                _hold_address(transaction, row)
                transaction.save(row, Invitation.id.does_not_exist())
                transaction.save(AuditEvent.create(EventType.INVITATION_CREATED, row.id, by))
            self._send(row, token)
            return row

        conflicts = (EmailTaken, AlreadyInvited, ExternalIdTaken)
        return self._idempotency.run(request, by, create, _as_created, conflicts=conflicts)

    def faults_of(self, values: Mapping[str, Any]) -> list[InvalidField]:
        """Return what the rules reject of an invitation.

        Args:
            values: `email`, `roles` and `app_metadata`, as far as they are known.
        """
        emails = {name: values[name] for name in ("email",) if name in values}
        return [
            *self._accounts.faults_of(emails, any_domain=True),
            *self._accounts.metadata_rules.faults_of(values),
            *self._accounts.roles.faults_of(values.get("roles", ())),
        ]

    def get(self, id: str) -> Invitation:
        """Return the invitation with this ID, strongly consistent.

        Raises:
            InvitationNotFound: There is none: it was accepted, revoked, or removed after expiry.
        """
        found = find_invitation(id) if is_user_id(id) else None
        if found is None:
            raise InvitationNotFound
        return found

    def find_by_email(self, email: str) -> Invitation | None:
        """Return the invitation of an email address that is pending, in whatever case."""
        owner = find_owner(invitation_key(normalize_email(email)))
        return find_invitation(owner) if owner else None

    def newest_first(
        self, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[Invitation], str | None]:
        """Return a page of invitations, and the ID to continue after; eventually consistent."""
        return list_invitations(after, limit)

    def resend(self, invitation: Invitation, *, by: Actor = ANONYMOUS) -> Invitation:
        """Email a new token; the one before is void, and the caller becomes the sender.

        Args:
            invitation: The invitation as read; it is read again if it has changed since.
            by: The caller.

        Raises:
            EmailNotConfigured: No way to send email is configured.
            InvitationNotFound: It was accepted or revoked.
            InvitationOutdated: What it gives is no longer accepted.
            EmailTaken: A user has the address by now.
            ExternalIdTaken: A user has the external ID by now.
            AlreadyInvited: It has expired, and the address has another invitation.
            TooManyRequests: The hourly quota of the address is exhausted.
            TooManyConflicts: Concurrent changes kept winning.
        """
        self._require_accepted(invitation)
        self._emails.check_address_quota(invitation.email, EmailKind.INVITATION)

        def apply(row: Invitation) -> tuple[Invitation, str]:
            is_unmodified = row.is_unmodified()
            token = row.renew(by.user_id, self.lifetime)
            with by.transaction() as transaction:
                _require_new_user(transaction, row)
                _hold_address(transaction, row)
                transaction.save(row, is_unmodified, otherwise=VersionMismatch())
                transaction.save(AuditEvent.create(EventType.INVITATION_RESENT, row.id, by))
            return row, token

        row, token = self._change(invitation, apply)
        self._send(row, token)
        return row

    def deliver(self, seconds: float) -> bool:
        """Wait until each queued email was attempted once; return whether none is queued."""
        return self._emails.mailer.drain(seconds)

    def revoke(self, id: str, *, by: Actor = ANONYMOUS) -> None:
        """Revoke an invitation; its token is void at once.

        Raises:
            InvitationNotFound: There is no invitation with this ID.
            TooManyConflicts: Concurrent changes kept winning.
        """

        def apply(row: Invitation) -> None:
            key = invitation_key(row.email)
            # After it has expired, the address can have another invitation.
            is_holder = find_owner(key) == row.id
            stale = VersionMismatch()
            with by.transaction() as transaction:
                if is_holder:
                    Identifier.release(transaction, key, row.id, otherwise=stale)
                transaction.delete(row, row.is_unmodified(), otherwise=stale)
                transaction.save(AuditEvent.create(EventType.INVITATION_REVOKED, row.id, by))

        self._change(self.get(id), apply)

    def accept(
        self,
        token: str,
        *,
        password: str,
        username: str | None = None,
        full_name: str | None = None,
        locale: str | None = None,
        by: Actor = ANONYMOUS,
        request: IdempotentRequest | None = None,
    ) -> User:
        """Create the user that an invitation is for; its address counts as verified.

        Works while sign-up is closed. A rejection changes nothing, and the token stays valid.

        Args:
            token: The emailed token.
            password: The password.
            username: In any case; None for a user without one.
            full_name: The display name.
            locale: A language tag; that of the invitation takes precedence.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The new user, or the one that an earlier execution of the request has created.

        Raises:
            InvalidInvitation: The token is unknown, used, expired or revoked, a newer one was
                sent, or the sender may no longer invite.
            InvitationOutdated: What the invitation gives is no longer accepted.
            InvalidField: The username is not valid or missing, or the password is weak.
            UsernameTaken: Another user has the username.
            EmailTaken: A user has the address by now.
            Busy: The queue for hashes is full.
            IdempotencyKeyUsed: The user that the request created has changed since.
        """

        def create(execution: Execution) -> User:
            row = get_by_token(token)
            self._require_accepted(row)
            texts = {"username": username, "password": password, "full_name": full_name}
            faults = self._accounts.faults_of({**texts, "email": row.email}, any_domain=True)
            raise_together(faults)
            user = build_user(
                username=username,
                email=row.email,
                full_name=full_name,
                locale=row.locale or locale,
                app_metadata=row.app_metadata,
                external_id=row.external_id,
                roles=row.roles,
                email_verified=True,
            )
            user.password_hash = self._accounts.hasher.hash(password)
            self._create_user(user, row, by, execution)
            return user

        conflicts = (InvalidInvitation, UsernameTaken, EmailTaken)
        return self._idempotency.run(request, by, create, user_as_created, conflicts=conflicts)

    def _create_user(self, user: User, row: Invitation, by: Actor, execution: Execution) -> None:
        try:
            self._accounts.create(
                user,
                EventType.USER_REGISTERED,
                by=by,
                execution=execution,
                add_writes=partial(self._consume, row, replace(by, user_id=user.id)),
            )
        except InvalidInvitation as error:
            # A concurrent request has accepted it: the names that it took are no other fault.
            error.other_failures = []
            raise
        except ExternalIdTaken:
            raise InvitationOutdated from None

    def _consume(self, row: Invitation, by: Actor, transaction: Transaction) -> None:
        """Use an invitation up, on the condition that its sender may still invite."""
        if row.invited_by is not None:
            transaction.condition_check(
                User, row.invited_by, None, self._may_invite(), otherwise=InvalidInvitation()
            )
        key = invitation_key(row.email)
        Identifier.release(transaction, key, row.id, otherwise=InvalidInvitation())
        transaction.delete(row, row.is_unmodified(), otherwise=InvalidInvitation())
        transaction.save(AuditEvent.create(EventType.INVITATION_ACCEPTED, row.id, by))

    def _may_invite(self) -> Condition:
        condition: Condition = (
            User.id.exists()
            & User.inactive_key.does_not_exist()
            & User.roles.contains(Role.ADMIN.value)
        )
        if self._requires_second_factor:
            condition &= User.has_second_factor == True  # noqa: E712 - a condition of DynamoDB's
        return condition

    def _require_accepted(self, row: Invitation) -> None:
        """Reject what the settings no longer accept."""
        if self.faults_of(row.attribute_values):
            raise InvitationOutdated

    def _check_quota(self, email: str) -> None:
        try:
            self._emails.check_address_quota(email, EmailKind.INVITATION)
        except TooManyRequests:
            # A repeat of the request needs no further email, and learns what it would have.
            taken, invited = db.get_many(
                (Identifier, email_key(email)), (Identifier, invitation_key(email))
            )
            if taken:
                raise EmailTaken from None
            if invited:
                raise AlreadyInvited from None
            raise

    def _send(self, row: Invitation, token: str) -> None:
        email = Email(
            EmailKind.INVITATION,
            to=row.email,
            username="",
            token=token,
            minutes=int(self.lifetime.total_seconds() // 60),
            account_id=row.id,
            locale=row.locale,
        )
        self._emails.mailer.send(email)

    def _change(self, row: Invitation, apply: Callable[[Invitation], _Result]) -> _Result:
        """Apply a change; after each conflict read the invitation again and retry."""
        for _ in range(_MAX_ATTEMPTS):
            try:
                return apply(row)
            except VersionMismatch:
                row = self.get(row.id)
        raise TooManyConflicts


def _require_new_user(transaction: Transaction, row: Invitation) -> None:
    """Reject an invitation whose address or external ID a user has."""
    is_free = Identifier.value.does_not_exist()
    transaction.condition_check(
        Identifier, email_key(row.email), None, is_free, otherwise=EmailTaken()
    )
    if row.external_id:
        key = external_key(row.external_id)
        transaction.condition_check(Identifier, key, None, is_free, otherwise=ExternalIdTaken())


def _hold_address(transaction: Transaction, row: Invitation) -> None:
    key = invitation_key(row.email)
    Identifier.hold(transaction, key, row.id, row.expires_at, otherwise=AlreadyInvited())


def _as_created(execution: Execution, id: str) -> Invitation | None:
    """Return an invitation as it was created; None if it was sent again, or is gone."""
    found = find_invitation(id)
    return found if found and found.version == 1 else None
