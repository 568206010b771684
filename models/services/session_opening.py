"""Begin a session: what every way of signing in writes in its transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from flask_pynamodb import Transaction
from models.clock import now
from models.email import Email, EmailKind, Mailer
from models.log_fields import LogFields
from models.services.second_factors import VerifiedCode
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.device import Device
from models.tables.session import AuthMethod, Client, Lifetimes, Session
from models.tables.user import User

log = logging.getLogger("roster.security")

# A program that keeps no device token signs in on a new device each time.
_NOTICE_INTERVAL = timedelta(days=1)


class OpenedSession(NamedTuple):
    """A session, and the secrets that are shown once and not stored.

    Attributes:
        session: The session.
        token: The token of the session.
        user: Its user.
        device_token: The token of the device; None after reauthentication on an unknown device.
    """

    session: Session
    token: str
    user: User
    device_token: str | None


@dataclass(frozen=True)
class SessionOpening:
    """An unsaved session of a user and what belongs to it.

    Attributes:
        user: The user as it will be once the session is stored.
        session: The session.
        token: Its token.
        events: What is recorded.
        code: The verified code of the second factor.
        known_device: The known device that the user signs in on.
        new_device: The device that is known from now on.
        device_token: The token of the known or the new device.
        notifies_of_device: Whether to notify the user of the new device.
    """

    user: User
    session: Session
    token: str
    events: Sequence[AuditEvent]
    code: VerifiedCode | None = None
    known_device: Device | None = None
    new_device: Device | None = None
    device_token: str | None = None
    notifies_of_device: bool = False

    @classmethod
    def prepare(
        cls,
        user: User,
        client: Client,
        lifetimes: Lifetimes,
        *,
        type: EventType = EventType.SESSION_OPENED,
        method: AuthMethod = AuthMethod.PASSWORD,
        code: VerifiedCode | None = None,
        device: Device | None = None,
        device_token: str | None = None,
        is_new_device: bool = True,
    ) -> "SessionOpening":
        """Return a new session of a user whose factors were verified.

        Args:
            user: The user, with the epochs of the time when the session is stored.
            client: The origin of the request.
            lifetimes: How long the session lasts.
            type: What is recorded.
            method: The first factor that was verified.
            code: The verified code of the second factor, None if the user has none.
            device: The known device that the user signs in on.
            device_token: The token of this device.
            is_new_device: Whether an unknown device becomes known.
        """
        amr = amr_of(method, code)
        session, token = Session.new(user, client, lifetimes, amr)
        event = AuditEvent.create(
            type,
            user.id,
            Actor.from_client(client, user.id),
            amr=amr,
            second_factor=code.kind if code else None,
        )
        new_device = None
        if device is None:
            new_device, device_token = Device.new(user) if is_new_device else (None, None)
        return cls(
            user,
            session,
            token,
            [event],
            code,
            device,
            new_device,
            device_token,
            notifies_of_device=new_device is not None and _is_notice_due(user),
        )

    def save(self, transaction: Transaction) -> None:
        """Add everything but the changes of the user to a transaction.

        It fails with SecondFactorCodeRequired if the code was used concurrently, and with
        VersionMismatch if the device is no longer known.
        """
        transaction.save(self.session)
        if self.new_device:
            transaction.save(self.new_device)
        if self.known_device:
            self.known_device.succeed(transaction)
        if self.code:
            self.code.consume(transaction)
        for event in self.events:
            transaction.save(event)

    @property
    def is_sign_in(self) -> bool:
        """Whether the session takes the place of no other one."""
        return self.events[0].type == EventType.SESSION_OPENED

    def finish(self, mailer: Mailer) -> OpenedSession:
        """Log what was stored, notify the user of it, and return it."""
        event = self.events[0]
        fields = LogFields(
            event=event.type,
            subject=event.user_id,
            amr=[*event.amr],
            second_factor=event.second_factor,
        )
        log.info("signed in %s", fields)
        if self.code:
            self.code.notify(mailer)
        if self.notifies_of_device:
            mailer.send(Email.to_user(EmailKind.NEW_DEVICE, self.user, detail=self.session.ip))
        return OpenedSession(self.session, self.token, self.user, self.device_token)


def amr_of(method: AuthMethod, code: VerifiedCode | None) -> tuple[AuthMethod, ...]:
    """Return the verified factors of a sign-in."""
    return (method, AuthMethod.OTP) if code else (method,)


def _is_notice_due(user: User) -> bool:
    """Return whether another device is known, and the last notice of a new one is old."""
    last = user.new_device_notified_at
    return bool(user.devices_issued) and (last is None or now() - last > _NOTICE_INTERVAL)
