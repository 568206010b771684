"""Requests for a mail by whoever knows an address: nothing tells whether an account has it."""

from collections.abc import Callable
from dataclasses import dataclass

from models.clock import now
from models.db import db
from models.email import Email, Mailer
from models.errors import EmailNotConfigured, TooManyRequests
from models.services.login_lookup import LoginLookup
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.login_attempts import ATTEMPTS_FORGOTTEN_AFTER
from models.tables.one_time_token import OneTimeToken
from models.tables.rate_limit import Policy, RateLimits
from models.tables.user import User

# However many ask, no account gets more mails of one kind than these. Each kind counts apart, so
# that nobody can use up, by asking for one that is not sent, those that the user needs.
MAILS = Policy("mails", quota=5, window=3600)


@dataclass(frozen=True)
class TokenEmail:
    """A token that is mailed as soon as its row is stored."""

    row: OneTimeToken
    mail: Email


class AccountEmails:
    """Stores tokens and mails them."""

    def __init__(self, mailer: Mailer, logins: LoginLookup) -> None:
        self.mailer = mailer
        self._logins = logins
        self._quotas = RateLimits()

    def send_if_account_exists(
        self,
        email: str,
        type: EventType,
        by: Actor,
        prepare: Callable[[User], TokenEmail | None],
    ) -> None:
        """Email a token to the user with an address, if there is one who may have it.

        The calls to the store are the same where there is none, and the mail is sent later by
        somebody else (ASVS 6.3.8).

        Args:
            email: As the caller wrote it. The mail goes to the stored address (CVE-2019-19844).
            type: What the request is, as the user's events name it.
            by: Who asks.
            prepare: Makes token and mail, None if this user is to have none.

        Raises:
            EmailNotConfigured: There is no way to send a mail.
        """
        if not self.mailer.is_configured:
            raise EmailNotConfigured
        user = self._logins.find_by_email(email)
        subject = user.id if user else self._logins.unknown_login_key(email)
        try:
            self._quotas.take(MAILS, f"{type}#{subject}")
        except TooManyRequests:
            return
        prepared = prepare(user) if user and user.is_active else None
        event = AuditEvent.create(type, subject, by)
        if user is None:
            event.remove_at = now() + ATTEMPTS_FORGOTTEN_AFTER
        with db.transaction() as transaction:
            transaction.save(prepared.row if prepared else OneTimeToken.decoy())
            transaction.save(event)
        if prepared:
            self.mailer.send(prepared.mail)

    def for_user(self, user: User, type: EventType, by: Actor, prepared: TokenEmail) -> None:
        """Email a token to a user.

        Raises:
            EmailNotConfigured: There is no way to send a mail.
            TooManyRequests: The account had its mails of this hour.
        """
        self.admit(user, f"{type} for a user")
        with db.transaction() as transaction:
            transaction.save(prepared.row)
            transaction.save(AuditEvent.create(type, user.id, by))
        self.mailer.send(prepared.mail)

    def admit(self, user: User, kind: str) -> None:
        """Count one mail because of an account, asked for by somebody who is signed in.

        Args:
            user: Whose account.
            kind: What the mail is, in words that no other kind has.

        Raises:
            EmailNotConfigured: There is no way to send a mail.
            TooManyRequests: The account had its mails of this hour.
        """
        if not self.mailer.is_configured:
            raise EmailNotConfigured
        self._quotas.take(MAILS, f"{kind}#{user.id}")
