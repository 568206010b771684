"""Emails with tokens, requested by address: nothing reveals whether an account exists."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from models.clock import now
from models.email import Email, EmailKind, Mailer
from models.errors import EmailNotConfigured, TooManyRequests
from models.log_fields import LogFields
from models.services.background import Background
from models.services.login_lookup import LoginLookup, find_user
from models.services.merged_events import MergedEvents
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.login_attempts import ATTEMPTS_FORGOTTEN_AFTER
from models.tables.one_time_token import OneTimeToken
from models.tables.rate_window import RateLimit, RateLimiter
from models.tables.user import User

log = logging.getLogger("roster.security")

_DECOY_ADDRESS = "nobody@example.invalid"
# The emails of one kind that an account gets, however many are requested. Each kind has its own
# quota, so that requests for one kind cannot exhaust the quota of another.
EMAIL_QUOTA = RateLimit("mails", quota=5, window=3600)


@dataclass(frozen=True)
class TokenEmail:
    """An email with a token; it is sent as soon as the token's row is stored."""

    row: OneTimeToken
    email: Email

    @classmethod
    def decoy(cls, kind: EmailKind) -> Self:
        """Return what looks like any other, for an account that does not exist."""
        row, token = OneTimeToken.decoy()
        # Composed and dropped, so that both cases cost the same (ASVS 6.3.8).
        email = Email(kind, _DECOY_ADDRESS, "", token, minutes=10, is_decoy=True)
        return cls(row, email)


class AccountEmails:
    """Stores tokens and emails them.

    Args:
        mailer: Sends the emails.
        logins: Finds the user with an address.
        merged_events: Records exhausted quotas.
        quota: How many emails of each kind an account gets.
    """

    def __init__(
        self,
        mailer: Mailer,
        logins: LoginLookup,
        merged_events: MergedEvents | None = None,
        *,
        quota: RateLimit = EMAIL_QUOTA,
    ) -> None:
        self.mailer = mailer
        self._logins = logins
        self._merged_events = merged_events or MergedEvents(Background())
        self._limiter = RateLimiter()
        self._quota = quota

    def send_if_account_exists(
        self,
        email: str,
        type: EventType,
        by: Actor,
        kind: EmailKind,
        make_email: Callable[[User], TokenEmail | None],
        *,
        quota: RateLimit | None = None,
        device_token: str | None = None,
    ) -> None:
        """Email a token to the user with an address, if there is one who may have it.

        The database calls are the same without an account, and so is the work in the background
        (ASVS 6.3.8).

        Args:
            email: The address as the caller wrote it. The email goes to the stored address
                (CVE-2019-19844).
            type: The type of the audit event.
            by: The caller.
            kind: The kind of email.
            make_email: Returns the token and its email, or None if this user must not get one.
            quota: How many emails of this type an account gets at the request of known devices,
                and again at that of all others; by default as many as of each other kind.
            device_token: The token of a device; it is ignored unless it is one of this user's.

        Raises:
            EmailNotConfigured: No way to send email is configured.
        """
        if not self.mailer.is_configured:
            raise EmailNotConfigured
        quota = quota or self._quota
        user, is_known_device = self._logins.find_by_email(email, device_token)
        # The quota is that of the address: an account can be deleted and registered again.
        address_key = self._logins.unknown_login_key(email)
        subject = user.id if user else address_key
        source = "known-device" if is_known_device else "others"
        try:
            self._limiter.take(quota, f"{type}#{source}#{address_key}")
        except TooManyRequests:
            # The response reveals nothing, so only the event does.
            self._merged_events.quota_exceeded(subject, quota.name, by)
            log.warning("quota exceeded %s", LogFields(quota=quota.name, subject=subject))
            return
        wanted = make_email(user) if user and user.is_active else None
        token_email = wanted or TokenEmail.decoy(kind)
        event = AuditEvent.create(type, subject, by)
        if user is None:
            event.remove_at = now() + ATTEMPTS_FORGOTTEN_AFTER
        with by.transaction() as transaction:
            transaction.save(token_email.row)
            transaction.save(event)
        self.mailer.send(token_email.email)

    def email_about_new_address(self, address: str, token_email: TokenEmail) -> Email:
        """Return the email to an address that a user has requested as the new one.

        If the address is another user's, the owner gets a notice instead of the token; the caller
        cannot tell. The database calls are the same in both cases.

        Args:
            address: The new address.
            token_email: The token for it, and the email with it.
        """
        [owner_id] = self._logins.find(address)
        owner = find_user(owner_id)
        try:
            self._limiter.take(self._quota, f"address#{self._logins.unknown_login_key(address)}")
        except TooManyRequests:
            # Many accounts must not flood one mailbox.
            log.warning("quota exceeded %s", LogFields(quota=self._quota.name, subject="address"))
            return TokenEmail.decoy(EmailKind.CONFIRM_EMAIL_CHANGE).email
        if owner is None:
            return token_email.email
        return Email.to_user(EmailKind.ADDRESS_IN_USE, owner)

    def check_address_quota(self, address: str, kind: str) -> None:
        """Count one email to an address that no account has.

        Args:
            address: The address.
            kind: A text that identifies the kind of email.

        Raises:
            EmailNotConfigured: No way to send email is configured.
            TooManyRequests: The hourly quota of the address is exhausted.
        """
        if not self.mailer.is_configured:
            raise EmailNotConfigured
        self._limiter.take(self._quota, f"{kind}#{self._logins.unknown_login_key(address)}")

    def send_to_user(self, user: User, type: EventType, by: Actor, token_email: TokenEmail) -> None:
        """Email a token to a user.

        Raises:
            EmailNotConfigured: No way to send email is configured.
            TooManyRequests: The account's hourly quota is exhausted.
        """
        self.check_quota(user, f"{type} for a user")
        with by.transaction() as transaction:
            transaction.save(token_email.row)
            transaction.save(AuditEvent.create(type, user.id, by))
        self.mailer.send(token_email.email)

    def check_quota(self, user: User, kind: str) -> None:
        """Count one email to an account, requested by a signed-in user.

        Args:
            user: The owner of the account.
            kind: A text that identifies the kind of email.

        Raises:
            EmailNotConfigured: No way to send email is configured.
            TooManyRequests: The account's hourly quota is exhausted.
        """
        if not self.mailer.is_configured:
            raise EmailNotConfigured
        self._limiter.take(self._quota, f"{kind}#{user.id}")
