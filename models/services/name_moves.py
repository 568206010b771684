"""Move a username or an email address from one user to another, as when duplicates are merged.

One transaction writes both users, the reservations of their names and the audit events: at no time
does a name belong to both users or to neither, and nobody else can take it.
"""

from dataclasses import dataclass
from functools import partial

from models.email import Email, EmailKind
from models.errors import (
    InvalidField,
    UserNotFound,
    VersionMismatch,
    raise_together,
)
from models.security.idempotency import IdempotentRequest
from models.services.account_emails import TokenEmail
from models.services.account_notices import notice_of_merge, notices_of
from models.services.email_verification import EmailVerification
from models.services.hooks import NO_HOOKS, Hooks, UpdateHooks
from models.services.idempotency import Execution, Idempotency
from models.services.login_lookup import find_user
from models.services.user_deletion import finish_deletion, write_deletion
from models.services.user_update import (
    Handover,
    Versions,
    changed_fields,
    copy_with,
    get_user,
    recorded_changes,
    retry_on_conflict,
    swap_reservations,
    write,
)
from models.services.usernames import UsernameRules
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.identifier import Identifier, email_key, normalize_email, username_key
from models.tables.user import User

_ITSELF = "It must be another user."
_NO_SOURCE = "There is no user with this ID."
_NOTHING = "Give an email address, a username, or both."
_OTHER_EMAIL = "This is not the email address of the user in `from`."
_OTHER_USERNAME = "This is not the username of the user in `from`."
_USERNAMES_OFF = "Usernames are off in this service. Leave it out."
_LOSES_EMAIL = "It must be true: the user in `from` cannot exist without its email address."
_LOSES_USERNAME = "It must be true: the user in `from` cannot exist without its username."


@dataclass(frozen=True)
class Move:
    """The names to move, and what becomes of the user that has them.

    Attributes:
        source_id: The user that has them.
        email: Its email address, in any case; None to leave it.
        username: Its username, in any case; None to leave it.
        deletes_source: Whether that user is deleted.
    """

    source_id: str
    email: str | None = None
    username: str | None = None
    deletes_source: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the names."""
        email = {email_key(normalize_email(self.email))} if self.email is not None else set()
        username = {username_key(self.username.lower())} if self.username is not None else set()
        return frozenset(email | username)

    def names_of(self, source: User) -> list[str]:
        """Return the names as the source has them."""
        username = [] if self.username is None else [str(source.username)]
        return username if self.email is None else [*username, str(source.email)]


class NameMoves:
    """Moves names between users.

    Args:
        email_verification: Verifies email addresses.
        usernames: Whether users have usernames, and how long one that was given up is reserved.
        idempotency: Executes requests once.
        hooks: The functions of the operator.
    """

    def __init__(
        self,
        email_verification: EmailVerification,
        usernames: UsernameRules | None = None,
        idempotency: Idempotency | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self._email_verification = email_verification
        self._mailer = email_verification.emails.mailer
        self._usernames = usernames or UsernameRules()
        self._idempotency = idempotency or Idempotency()
        self._hooks = hooks

    def move(
        self,
        target: User,
        move: Move,
        *,
        versions: Versions = None,
        by: Actor = ANONYMOUS,
        request: IdempotentRequest | None = None,
    ) -> User:
        """Move names to a user, in place of its own.

        The old email address of the user becomes free, its old username is in quarantine. A moved
        address is not verified: its verification proved that the other user has the mailbox. Where
        emails can be sent, a token is sent to it.

        Args:
            target: The user as the caller read it; it is read again if it has changed since.
            move: The names. They must be those that the source has when they move.
            versions: Reject the move unless the target is at one of these versions.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The target, as updated or as it was updated by an earlier execution of the request.

        Raises:
            InvalidField: There is no such source, it has other names, or it must be deleted.
            LastAdmin: The deletion of the source would leave no active admin.
            VersionMismatch: The target is at another version.
            UserNotFound: The target is gone.
            TooManyConflicts: Concurrent updates kept winning.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The target has changed since the request was executed.
            Refused: A function of the operator refuses the update of one of both.
            HookFailed: A function of the operator has failed.
        """
        hooks = (UpdateHooks(self._hooks, by), UpdateHooks(self._hooks, by))

        def carry_out(execution: Execution) -> User:
            return retry_on_conflict(
                target,
                versions,
                partial(self._move, move=move, by=by, execution=execution, hooks=hooks),
            )

        return self._idempotency.run(
            request, by, carry_out, _as_moved, conflicts=(InvalidField, VersionMismatch)
        )

    def _move(
        self,
        target: User,
        move: Move,
        by: Actor,
        execution: Execution,
        hooks: tuple[UpdateHooks, UpdateHooks],
    ) -> User:
        source = self._get_source(target, move)
        after = _with_names(target, source, move)
        token_email = self._make_verification_email(after) if move.email is not None else None
        handover = Handover(self._usernames.quarantine, moved=move.keys)
        by.require_may_change(target)
        by.require_may_change(source)
        rest = copy_with(source, username=None)
        for_target, for_source = hooks
        for_target.before(target, after, changed_fields(target, after))
        if not move.deletes_source:
            for_source.before(source, rest, changed_fields(source, rest))
        with by.transaction() as transaction:
            execution.record(transaction, _id_of_result(after))
            for key in sorted(move.keys):
                # If the source has lost it since, it is read again.
                Identifier.move(transaction, key, source.id, target.id, otherwise=VersionMismatch())
            swap_reservations(transaction, target, after, handover)
            write(transaction, target, after)
            transaction.save(_event_of(target, after, by))
            if move.deletes_source:
                deletion = write_deletion(transaction, source, by, handover)
            else:
                write(transaction, source, rest)
                transaction.save(_event_of(source, rest, by))
            if token_email:
                transaction.save(token_email.row)
        self._notify(target, after, token_email)
        if move.deletes_source:
            finish_deletion(deletion)
            self._mailer.send(notice_of_merge(source, move.names_of(source)))
            self._hooks.after_deletion(source, by)
        else:
            self._notify(source, rest)
            for_source.after(source, rest, changed_fields(source, rest))
        for_target.after(target, after, changed_fields(target, after))
        return after

    def _get_source(self, target: User, move: Move) -> User:
        """Return the user that has the names.

        Raises:
            InvalidField: It does not, or not without being deleted.
        """
        faults = self._faults_of(move)
        try:
            source = get_user(move.source_id)
        except UserNotFound:
            raise_together([InvalidField("from", _NO_SOURCE), *faults])
            raise
        if source.id == target.id:
            faults.insert(0, InvalidField("from", _ITSELF))
        raise_together([*faults, *_mismatches(move, source)])
        return source

    def _faults_of(self, move: Move) -> list[InvalidField]:
        faults = []
        if move.email is None and move.username is None:
            faults.append(InvalidField("email", _NOTHING))
        if move.username is not None and not self._usernames.are_on:
            faults.append(InvalidField("username", _USERNAMES_OFF))
        if move.email is not None and not move.deletes_source:
            faults.append(InvalidField("delete_source", _LOSES_EMAIL))
        elif self._usernames.are_required and not move.deletes_source:
            faults.append(InvalidField("delete_source", _LOSES_USERNAME))
        return faults

    def _make_verification_email(self, user: User) -> TokenEmail | None:
        if not (self._mailer.is_configured and user.is_active):
            return None
        return self._email_verification.make_email(user, user.email)

    def _notify(self, before: User, after: User, token_email: TokenEmail | None = None) -> None:
        """Email the users: the old address of a user does not find out later."""
        if before.email != after.email:
            self._mailer.send(Email.to_user(EmailKind.EMAIL_CHANGED, before))
        for notice in notices_of(before, after):
            self._mailer.send(notice)
        if token_email:
            self._mailer.send(token_email.email)


def _mismatches(move: Move, source: User) -> list[InvalidField]:
    """Return a fault for each name that is not that of the source, as it is now."""
    faults = []
    try:
        if move.email is not None and email_key(normalize_email(move.email)) != email_key(
            source.email
        ):
            faults.append(InvalidField("email", _OTHER_EMAIL))
    except InvalidField as fault:
        faults.append(fault)
    if move.username is not None and move.username.lower() != source.username:
        faults.append(InvalidField("username", _OTHER_USERNAME))
    return faults


def _with_names(target: User, source: User, move: Move) -> User:
    """Return the target with the names, as the next version."""
    after = copy_with(target)
    if move.email is not None:
        after.email = source.email
        after.email_verified = False
        # A request from before must not replace the moved address.
        after.pending_email = None
    if move.username is not None:
        after.username = source.username
    return after


def _event_of(before: User, after: User, by: Actor) -> AuditEvent:
    changed_fields = recorded_changes(before, after)
    return AuditEvent.create(EventType.USER_UPDATED, before.id, by, changed_fields=changed_fields)


def _id_of_result(user: User) -> str:
    """Return what identifies a user at one version."""
    return f"{user.id}#{user.version:d}"


def _as_moved(execution: Execution, result_id: str) -> User | None:
    """Return the target as a request has left it; None if it has changed since."""
    user_id, _, version = result_id.partition("#")
    user = find_user(user_id)
    return user if user and str(int(user.version)) == version else None
