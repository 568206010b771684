"""Accounts: register, create, find, list, update, delete.

Each operation that writes is one transaction: the user, the reservations of its names, the number
of admins and the audit event change together or not at all. Conditions in the transaction decide,
so concurrent callers cannot both succeed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flask_pynamodb import Transaction
from models.email import Email, EmailKind
from models.errors import (
    EmailTaken,
    ExternalIdTaken,
    InvalidField,
    UsernameTaken,
    UserNotFound,
    raise_together,
)
from models.locales import normalize_locale
from models.roles import BUILT_IN_ROLES, KnownRoles, Role
from models.security.idempotency import IdempotentRequest
from models.security.legacy_hashes import validate_imported
from models.security.password_policy import PasswordPolicy
from models.security.passwords import PasswordHasher
from models.services.account_emails import TokenEmail
from models.services.account_notices import notice_of_deletion, notices_of
from models.services.admin_notices import AdminNotices
from models.services.email_domains import ALL_DOMAINS, EmailDomains
from models.services.email_verification import EmailVerification
from models.services.hooks import NO_HOOKS, HookName, Hooks, UpdateHooks
from models.services.idempotency import Execution, Idempotency
from models.services.login_lookup import find_user
from models.services.metadata import MetadataRules
from models.services.statistics import Statistics
from models.services.user_deletion import finish_deletion, write_deletion
from models.services.user_search import UserSearch
from models.services.user_update import (
    Handover,
    Versions,
    apply_update,
    get_user,
    normalize_changes,
    normalize_roles,
    reserved_keys,
    retry_on_conflict,
)
from models.services.usernames import UsernameRules
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.counter import count_admin
from models.tables.daily_count import Counted
from models.tables.identifier import (
    Identifier,
    email_key,
    external_key,
    login_key,
    normalize_email,
    normalize_external_id,
    normalize_username,
    username_key,
)
from models.tables.user import Status, User
from models.tables.user_listing import UserFilter, newest_first


class Accounts:
    """Operations on accounts.

    Args:
        hasher: Hashes passwords.
        policy: The rules for new passwords.
        email_verification: Verifies email addresses.
        verifies_new_users: Whether new users are asked at once to verify their address.
        security_email: The address that is notified of new admins; None for all admins.
        usernames: Whether users have usernames, and the rules for those that they choose.
        metadata: The rules for `metadata` and `app_metadata`.
        idempotency: Executes requests once.
        statistics: Counts sign-ups.
        roles: The roles that users can have.
        domains: The rules for the domains of email addresses.
        search: The search for users, which new ones are found by.
        hooks: The functions of the operator.
    """

    def __init__(
        self,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        email_verification: EmailVerification,
        *,
        verifies_new_users: bool = False,
        security_email: str | None = None,
        usernames: UsernameRules | None = None,
        metadata: MetadataRules | None = None,
        idempotency: Idempotency | None = None,
        statistics: Statistics | None = None,
        roles: KnownRoles = BUILT_IN_ROLES,
        domains: EmailDomains = ALL_DOMAINS,
        search: UserSearch | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.hasher = hasher
        self.policy = policy
        self.email_verification = email_verification
        self.usernames = usernames or UsernameRules()
        self.metadata_rules = metadata or MetadataRules()
        self._idempotency = idempotency or Idempotency()
        self._statistics = statistics or Statistics()
        self.roles = roles
        self._domains = domains
        self.search = search or UserSearch()
        self.hooks = hooks
        self._emails = email_verification.emails
        self._admin_notices = AdminNotices(self._emails.mailer, security_email)
        self._verifies_new_users = verifies_new_users and self._emails.mailer.is_configured

    def register(
        self,
        *,
        username: str | None = None,
        email: str,
        password: str,
        full_name: str | None = None,
        locale: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        app_metadata: Mapping[str, Any] | None = None,
        external_id: str | None = None,
        roles: Sequence[str] = (Role.USER,),
        status: str = Status.ACTIVE,
        email_verified: bool = False,
        any_username: bool = False,
        any_domain: bool | None = None,
        by: Actor = ANONYMOUS,
        request: IdempotentRequest | None = None,
    ) -> User:
        """Create a user with a password of its own choice.

        Args:
            username: In any case; None for a user without one.
            email: In any case.
            password: The password.
            full_name: The display name.
            locale: A language tag, in any case.
            metadata: A JSON object of the user.
            app_metadata: A JSON object of the operator.
            external_id: The ID of the user in another system.
            roles: What the user may do.
            status: Whether the user may sign in.
            email_verified: Whether the address is known to be the user's.
            any_username: Whether the username may be a reserved one, or one in quarantine.
            any_domain: Whether the email address may have a domain that is closed to sign-ups; by
                default if the username may be a reserved one.
            by: The caller.
            request: The request, if its client may send it again.

        Returns:
            The new user, or the one that an earlier execution of the request has created.

        Raises:
            InvalidField: The username, the email address or an object is not valid, the username is
                missing or usernames are off, or the password is weak.
            UsernameTaken: Another user has the username.
            EmailTaken: Another user has the email address, in whatever case.
            ExternalIdTaken: Another user has the external ID.
            IdempotencyKeyReused: The key of the request belongs to one with another body.
            IdempotencyKeyUsed: The user that the request created has changed since.
            Refused: A function of the operator refuses the user.
            HookFailed: A function of the operator has failed.
        """
        texts = {
            "username": username,
            "email": email,
            "password": password,
            "full_name": full_name,
        }
        faults = self.faults_of(texts, any_username=any_username, any_domain=any_domain)
        objects = {"metadata": metadata, "app_metadata": app_metadata}
        faults += self.metadata_rules.faults_of(objects)
        raise_together([*faults, *self.roles.faults_of(roles)])
        user = build_user(
            username=username,
            email=email,
            full_name=full_name,
            locale=locale,
            metadata=metadata,
            app_metadata=app_metadata,
            external_id=external_id,
            roles=roles,
            status=status,
            email_verified=email_verified,
        )
        user.password_hash = self.hasher.hash(password)
        token_email = self._make_verification_email(user)

        def create(execution: Execution) -> User:
            self.create(
                user,
                EventType.USER_REGISTERED,
                by=by,
                any_username=any_username,
                token_email=token_email,
                execution=execution,
            )
            if token_email:
                self._emails.mailer.send(token_email.email)
            return user

        return self._idempotency.run(
            request,
            by,
            create,
            user_as_created,
            conflicts=(UsernameTaken, EmailTaken, ExternalIdTaken),
        )

    def faults_of(
        self,
        texts: Mapping[str, str | None],
        *,
        any_username: bool = False,
        any_domain: bool | None = None,
        offline: bool = False,
    ) -> list[InvalidField]:
        """Return what the rules reject of a new user, one fault for each field.

        Args:
            texts: `username`, `email`, `password` and `full_name`, as far as they are known. The
                username is None for a user without one.
            any_username: Whether the username may be a reserved one.
            any_domain: Whether the email address may have a domain that is closed to sign-ups; by
                default if the username may be a reserved one.
            offline: Whether to ask no other service about the password.
        """
        checks: dict[str, Callable[[Any], Any]] = {
            "username": partial(self.usernames.normalize, any_username=any_username),
            "email": partial(
                self._check_email, any_domain=any_username if any_domain is None else any_domain
            ),
            "password": lambda password: self.policy.validate(
                password,
                *(texts.get(name) or "" for name in ("username", "email", "full_name")),
                offline=offline,
            ),
        }
        faults = []
        for name in checks.keys() & texts.keys():
            try:
                checks[name](texts[name])
            except InvalidField as fault:
                faults.append(fault)
        return sorted(faults, key=lambda fault: list(checks).index(fault.field))

    def _check_email(self, email: str, *, any_domain: bool) -> None:
        email = normalize_email(email)
        self._domains.require_usable(email)
        if not any_domain:
            self._domains.require_open(email)

    def create(
        self,
        user: User,
        type: EventType,
        *,
        by: Actor,
        any_username: bool = False,
        token_email: TokenEmail | None = None,
        execution: Execution | None = None,
        add_writes: Callable[[Transaction], None] | None = None,
    ) -> None:
        """Store a new user, with or without a password, and reserve its names.

        Args:
            user: A user from `build_user`.
            type: The type of its first audit event.
            by: The caller.
            any_username: Whether the username may be one in quarantine.
            token_email: A token to store in the same transaction.
            execution: The execution of the request that creates it.
            add_writes: Adds what must be written in the same transaction.

        Raises:
            InvalidField: An object does not match the rules.
            UsernameTaken: Another user has the username.
            EmailTaken: Another user has the email address, in whatever case.
            ExternalIdTaken: Another user has the external ID.
            IdempotencyKeyUsed: The request was executed before.
            InvalidField: One of its roles is not known, or its address has a special-use domain.
            RoleRequired: The caller is a client, and the user an admin.
            InvalidField: The user has no username and needs one, or usernames are off.
            Refused: A function of the operator refuses the user.
            HookFailed: A function of the operator has failed.
        """
        self.roles.require_known(user.roles)
        self._domains.require_usable(user.email)
        by.require_may_change(user)
        self.usernames.require_mode(user.username)
        raise_together(self.metadata_rules.faults_of(user.attribute_values))
        is_import = type is EventType.USER_IMPORTED
        if execution and self.hooks.asks(HookName.BEFORE_REGISTRATION):
            # A repeat is answered like the first request, whose user was not refused.
            execution.require_first()
        self.hooks.before_registration(user, by, is_import=is_import)
        admin_emails = self._admin_notices.prepare() if user.is_active_admin else []
        with by.transaction() as transaction:
            if execution:
                execution.record(transaction, user.id)
            if user.username is not None:
                Identifier.take(
                    transaction,
                    username_key(user.username),
                    user.id,
                    otherwise=UsernameTaken(),
                    takes_over=any_username,
                )
            Identifier.reserve(transaction, email_key(user.email), user.id, otherwise=EmailTaken())
            if user.external_id:
                key = external_key(user.external_id)
                Identifier.reserve(transaction, key, user.id, otherwise=ExternalIdTaken())
            self.search.add(transaction, user)
            transaction.save(user, User.id.does_not_exist())
            transaction.save(AuditEvent.create(type, user.id, by))
            count_admin(transaction, int(user.is_active_admin))
            if token_email:
                transaction.save(token_email.row)
            if add_writes:
                add_writes(transaction)
        if type is EventType.USER_REGISTERED:
            self._statistics.count(Counted.SIGN_UPS)
        self._admin_notices.send(admin_emails, user)
        self.hooks.after_registration(user, by, is_import=is_import)

    def get(self, user_id: str) -> User:
        """Return the user with this ID, strongly consistent.

        Raises:
            UserNotFound: There is no user with this ID.
        """
        return get_user(user_id)

    def find(self, login: str) -> User | None:
        """Return the user with this username or email address, in whatever case."""
        key = login_key(login)
        return self._find_by_key(key) if key else None

    def find_named(
        self, username: str | None, email: str | None, external_id: str | None = None
    ) -> User | None:
        """Return the user with this username, email address and external ID, where given."""
        try:
            keys = [
                *([username_key(normalize_username(username))] if username is not None else []),
                *([email_key(normalize_email(email))] if email is not None else []),
                *([external_key(external_id)] if external_id is not None else []),
            ]
        except InvalidField:
            return None
        user = self._find_by_key(keys[0])
        return user if user and reserved_keys(user).issuperset(keys) else None

    def newest_first(
        self, chosen: UserFilter, *, after: str | None = None, limit: int = 25
    ) -> tuple[list[User], str | None]:
        """Return a page of users, newest first; see `models.tables.user_listing`."""
        return newest_first(chosen, after=after, limit=limit)

    def update(
        self,
        user: User,
        changes: Mapping[str, Any],
        *,
        versions: Versions = None,
        confirms_email: bool = False,
        any_username: bool = False,
        any_domain: bool = False,
        by: Actor = ANONYMOUS,
    ) -> User:
        """Update fields of a user.

        Args:
            user: The user as the caller read it; it is read again if it has changed since.
            changes: New values of username, email, email_verified, full_name, locale, metadata,
                app_metadata, external_id, roles or status. Those of `metadata` and `app_metadata`
                may be functions that return the new object for the current. None removes the
                username, full_name, locale or external_id.
            versions: Reject the update unless the user is at one of these versions.
            confirms_email: Whether a new email address stays pending until it is confirmed, where
                emails can be sent. Until then it is the user's `pending_email`.
            any_username: Whether a new username may be a reserved one, or one in quarantine.
            any_domain: Whether a new email address may have a domain that is closed to sign-ups.
            by: The caller.

        Returns:
            The updated user.

        Raises:
            InvalidField: A new value is not valid.
            UsernameTaken: Another user has the username.
            EmailTaken: Another user has the email address.
            ExternalIdTaken: Another user has the external ID.
            LastAdmin: No active admin would be left.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is gone.
            TooManyConflicts: Concurrent updates kept winning.
            TooManyRequests: The account's hourly quota of emails is exhausted.
            RoleRequired: The caller may not change admins, and the user is one.
            Refused: A function of the operator refuses the update.
            HookFailed: A function of the operator has failed.
        """
        # A removed role that the user loses at the same time may come back: it counts for nothing.
        self.roles.require_known(changes.get("roles", ()), kept=user.roles)
        changes = self.metadata_rules.validating(normalize_changes(changes, self.usernames))
        if email_key(changes.get("email", user.email)) != email_key(user.email):
            self._check_email(changes["email"], any_domain=any_domain)
        if not any_username and changes.get("username", user.username) != user.username:
            self.usernames.require_allowed(changes["username"])
        admin_emails = self._admin_notices.prepare() if _may_make_admin(user, changes) else []
        handover = Handover(self.usernames.quarantine, any_username)
        after = self._update(user, changes, versions, confirms_email, by, handover)
        for notice in notices_of(user, after):
            self._emails.mailer.send(notice)
        if after.is_active_admin and not user.is_active_admin:
            self._admin_notices.send(admin_emails, after)
        return after

    def _update(
        self,
        user: User,
        changes: dict[str, Any],
        versions: Versions,
        confirms_email: bool,
        by: Actor,
        handover: Handover,
    ) -> User:
        if "email" in changes and confirms_email and self._emails.mailer.is_configured:
            return self._update_pending_email(user, changes, versions, by, handover)
        if "email" in changes:
            changes["pending_email"] = None
        hooks = UpdateHooks(self.hooks, by)
        after = retry_on_conflict(
            user,
            versions,
            lambda current: apply_update(current, changes, by, handover, hooks=hooks),
        )
        if after.email != user.email:
            self._emails.mailer.send(Email.to_user(EmailKind.EMAIL_CHANGED, user))
        return after

    def delete(self, user: User, *, versions: Versions = None, by: Actor = ANONYMOUS) -> None:
        """Delete a user; its names are released and its sessions end at once.

        Raises:
            LastAdmin: No active admin would be left.
            VersionMismatch: The user is at another version.
            UserNotFound: The user is already gone.
        """

        handover = Handover(self.usernames.quarantine)

        def delete(current: User) -> None:
            with by.transaction() as transaction:
                event = write_deletion(transaction, current, by, handover)
            finish_deletion(event)
            self._emails.mailer.send(notice_of_deletion(current))
            self.hooks.after_deletion(current, by)

        retry_on_conflict(user, versions, delete)

    def _update_pending_email(
        self,
        user: User,
        changes: Mapping[str, Any],
        versions: Versions,
        by: Actor,
        handover: Handover,
    ) -> User:
        """Update a user; a new email address becomes its pending one, taken or not.

        So the caller cannot find existing accounts (ASVS 6.3.8): requests are counted first,
        and cost and answer are the same for an address of another user.
        """
        values = dict(changes)
        address = values.pop("email")
        # The same address in another case needs no confirmation.
        is_new = email_key(address) != email_key(user.email)
        values.update(pending_email=address if is_new else None)
        hooks = UpdateHooks(self.hooks, by)
        if not is_new:
            values.update(email=address)
            return retry_on_conflict(
                user,
                versions,
                lambda current: apply_update(current, values, by, handover, hooks=hooks),
            )
        # It would be about the present address; confirming the new one verifies it.
        values.pop("email_verified", None)
        self._emails.check_quota(user, "email-change")
        token_email = self.email_verification.make_email(user, address, is_new=True)
        first = self._emails.email_about_new_address(address, token_email)
        after = retry_on_conflict(
            user,
            versions,
            lambda current: apply_update(current, values, by, handover, token_email, hooks),
        )
        notification = Email.to_user(EmailKind.EMAIL_CHANGE_REQUESTED, user, detail=address)
        for email in (first, notification):
            self._emails.mailer.send(email)
        return after

    def _make_verification_email(self, user: User) -> TokenEmail | None:
        if not (self._verifies_new_users and user.is_active) or user.email_verified:
            return None
        return self.email_verification.make_email(user, user.email)

    def _find_by_key(self, key: str) -> User | None:
        try:
            return self.get(Identifier.get(key, consistent_read=True).user_id or "")
        except (Identifier.DoesNotExist, UserNotFound):
            return None


def build_user(
    *,
    username: str | None = None,
    email: str,
    password_hash: str | None = None,
    full_name: str | None = None,
    locale: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
    external_id: str | None = None,
    roles: Sequence[str] = (Role.USER,),
    status: str = Status.ACTIVE,
    email_verified: bool = False,
) -> User:
    """Return an unsaved user.

    Args:
        username: In any case; None for a user without one.
        email: In any case.
        password_hash: A hash of another system. Without a hash the user has no password, and can
            set one by a password reset only.
        full_name: The display name.
        locale: A language tag, in any case.
        metadata: A JSON object of the user.
        app_metadata: A JSON object of the operator.
        external_id: The ID of the user in another system.
        roles: What the user may do.
        status: Whether the user may sign in.
        email_verified: Whether the address is known to be the user's.

    Raises:
        InvalidField: A value that the rules reject.
    """
    return User.new(
        username=None if username is None else normalize_username(username),
        email=normalize_email(email),
        email_verified=email_verified,
        password_hash=None if password_hash is None else validate_imported(password_hash),
        full_name=full_name,
        locale=normalize_locale(locale),
        metadata=dict(metadata or {}),
        app_metadata=dict(app_metadata) if app_metadata else None,
        external_id=normalize_external_id(external_id),
        roles=normalize_roles(roles),
        status=status,
    )


def user_as_created(execution: Execution, user_id: str) -> User | None:
    """Return a user as it was when it was created; None if it has changed since."""
    user = find_user(user_id)
    if user is None or user.version != 1:
        return None
    # Shown, but no change of the user.
    user.last_login_at = None
    return user


def _may_make_admin(user: User, changes: Mapping[str, Any]) -> bool:
    """Return whether changes may turn a user into an active admin."""
    if user.is_active_admin or changes.keys().isdisjoint({"roles", "status"}):
        return False
    return Role.ADMIN in changes.get("roles", user.roles)
