"""Who is there: signing in, finding the session of a token, ending sessions."""

from contextlib import suppress

from pynamodb.expressions.update import Action

from models.clock import now
from models.db import db
from models.email import Mailer
from models.errors import (
    Contended,
    InvalidCredentials,
    SecondFactorCodeRequired,
    SessionNotFound,
    Unauthenticated,
    UserNotFound,
    VersionMismatch,
)
from models.security.passwords import Passwords
from models.services.login_lookup import LoginLookup, find_user, reserve_attempt
from models.services.second_factors import SecondFactors, VerifiedCode
from models.services.session_cleanup import sweep
from models.tables import session as sessions
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.login_attempts import ATTEMPTS_FORGOTTEN_AFTER, Attempts, forget, reserve
from models.tables.session import Client, Found, Lifetimes, Session
from models.tables.user import User

# How often a sign-in is tried on an account that changes under it.
_TRIES = 5


class SessionService:
    """Operations on sessions.

    Args:
        passwords: The policy.
        lifetimes: How long sessions last.
        second_factors: Checks the codes of those who have a second factor.
        mailer: Tells users what they should know.
        logins: Looks up who signs in.
        requires_verified_email: Whether who has not confirmed the address may not sign in.
    """

    def __init__(
        self,
        passwords: Passwords,
        lifetimes: Lifetimes,
        *,
        second_factors: SecondFactors,
        mailer: Mailer,
        logins: LoginLookup,
        requires_verified_email: bool = False,
    ) -> None:
        self.passwords = passwords
        self.lifetimes = lifetimes
        self.second_factors = second_factors
        self.mailer = mailer
        self.logins = logins
        self.requires_verified_email = requires_verified_email

    def open(
        self, login: str, password: str, client: Client, otp: str | None = None
    ) -> tuple[Session, str, User]:
        """Sign somebody in.

        A try is reserved before the password is looked at, so that parallel guesses cannot be
        more than are allowed.

        Args:
            login: The user name or the e-mail address.
            password: As it was typed.
            client: From where.
            otp: A code of the second factor, or a recovery code.

        Returns:
            The session, its token (which is kept nowhere), and the user.

        Raises:
            InvalidCredentials: For an unknown user, a wrong password and a user who may not sign
                in alike, after the same work.
            SecondFactorCodeRequired: The password is right, the code is missing or wrong.
            TooManyAttempts: The next try has to wait, whether the password is right or not.
            Busy: Too many wait for a hash. No try was used up.
            Contended: The account changed under every one of several tries.
        """
        with self.passwords.turn():
            subject, found = self._reserve(login)
            for _ in range(_TRIES):
                user, newer_hash = self._admit(subject, found, password, client)
                proof = self._second_factor(user, otp, client)
                try:
                    return self._open(user, newer_hash, proof, client)
                except VersionMismatch:
                    found = find_user(user.id)
        raise Contended

    def renew(
        self, session: Session, password: str, client: Client, otp: str | None = None
    ) -> tuple[Session, str, User]:
        """Take the password once more: a fresh session in place of the present one.

        Raises:
            InvalidCredentials: The password is wrong.
            SecondFactorCodeRequired: The password is right, the code is missing or wrong.
            TooManyAttempts: The next try has to wait.
            Unauthenticated: The session was ended in the meantime.
        """
        with self.passwords.turn():
            try:
                found = reserve_attempt(session.user_id)
            except UserNotFound:
                raise Unauthenticated from None
            user, newer_hash = self._admit(found.id, found, password, client)
            proof = self._second_factor(user, otp, client)
            try:
                return self._open(user, newer_hash, proof, client, replaced=session)
            except VersionMismatch:
                raise Unauthenticated from None

    def find(self, token: str, *, other_user_id: str | None = None) -> Found:
        """The living session of a token, and its user, in one round trip.

        Args:
            token: What the caller presented.
            other_user_id: A second user to read in the same round trip.

        Raises:
            Unauthenticated: The token belongs to no living session of an active user.
        """
        found = sessions.find(token, other_user_id=other_user_id)
        if found is None or not found.session.is_alive_for(found.user):
            raise Unauthenticated
        found.session.touch(self.lifetimes)
        return found

    def sessions_of(self, user: User) -> list[Session]:
        """The living sessions of a user, newest first."""
        return [row for row in sessions.of_user(user.id) if row.is_alive_for(user)]

    def end(self, user: User, session_id: str, *, by: Actor) -> None:
        """End one session of a user.

        Raises:
            SessionNotFound: The user has no such session.
        """
        if not sessions.is_session_id(session_id):
            raise SessionNotFound
        with db.transaction() as transaction:
            transaction.delete(
                Session(user.id, session_id),
                Session.token_digest.exists(),
                otherwise=SessionNotFound(),
            )
            transaction.save(AuditEvent.create(EventType.SESSION_ENDED, user.id, by))

    def end_all(self, user: User, *, by: Actor) -> None:
        """End every session of a user at once.

        Raises:
            UserNotFound: The user is gone, and its sessions with it.
            Unauthenticated: So is the one who asks.
        """
        is_gone = Unauthenticated() if by.user_id == user.id else UserNotFound()
        event = AuditEvent.create(EventType.SESSIONS_ENDED, user.id, by, sweeps=True)
        epoch = user.session_epoch + 1
        with db.transaction() as transaction:
            transaction.update(
                user, [User.session_epoch.add(1)], User.id.exists(), otherwise=is_gone
            )
            transaction.save(event)
        sweep(event, before_epoch=epoch)

    def _reserve(self, login: str) -> tuple[str, User | None]:
        """Take a try; what it is counted for, and the user as of now, if there is one."""
        owner = self.logins.find_user_id(login)
        if owner is not None:
            with suppress(UserNotFound):
                return owner, reserve_attempt(owner)
        subject = self.logins.unknown_login_key(login)
        reserve(Attempts(subject))
        return subject, None

    def _admit(
        self, subject: str, user: User | None, password: str, client: Client
    ) -> tuple[User, str | None]:
        """Refuse unless the user may sign in with the password; a newer hash, if there is one."""
        is_right, newer_hash = self.passwords.verify(password, user and user.password_hash)
        objection = self._objection(user, is_right)
        if user is None or objection:
            is_known = user is not None
            self._record_failure(subject, objection, client, is_known=is_known)
            raise InvalidCredentials
        return user, newer_hash

    def _objection(self, user: User | None, is_right: bool) -> str | None:
        if user is None:
            return "unknown-login"
        if not is_right:
            return "wrong-password" if user.password_hash else "no-password"
        if not user.is_active:
            return str(user.status)
        if self.requires_verified_email and not user.email_verified:
            return "email-not-verified"
        return None

    def _second_factor(self, user: User, otp: str | None, client: Client) -> VerifiedCode | None:
        try:
            return self.second_factors.check(user, otp)
        except SecondFactorCodeRequired:
            self._record_failure(user.id, "second-factor", client, is_known=True)
            raise

    def _record_failure(
        self, subject: str, reason: str | None, client: Client, *, is_known: bool
    ) -> None:
        actor = Actor(ip=client.ip)
        event = AuditEvent.create(EventType.SIGN_IN_FAILED, subject, actor, reason=reason)
        if not is_known:
            event.remove_at = now() + ATTEMPTS_FORGOTTEN_AFTER
        event.save()

    def _open(
        self,
        user: User,
        newer_hash: str | None,
        proof: VerifiedCode | None,
        client: Client,
        replaced: Session | None = None,
    ) -> tuple[Session, str, User]:
        session, token = Session.new(user, client, self.lifetimes)
        actions: list[Action] = [User.last_login_at.set(session.created_at), *forget(User)]
        if newer_hash:
            actions.append(User.password_hash.set(newer_hash))
        # The version stays: signing in must not void what an editor has read. The epoch is
        # part of the condition, since it rises with a suspension and a new password.
        is_same = (User.session_epoch == user.session_epoch) & (
            User.password_hash == user.password_hash
        )
        if proof is None:
            # Whoever has turned the second factor on since needs it from now on.
            is_same &= ~(User.has_second_factor == True)  # noqa: E712 - a condition of DynamoDB's
        type = EventType.SESSION_RENEWED if replaced else EventType.SESSION_OPENED
        with db.transaction() as transaction:
            if replaced:
                # One that was ended by the epoch may still have its row.
                is_alive = Session.session_epoch == user.session_epoch
                transaction.delete(replaced, is_alive, otherwise=Unauthenticated())
            transaction.save(session)
            transaction.update(user, actions, is_same, otherwise=VersionMismatch())
            if proof:
                proof.write(transaction)
            transaction.save(AuditEvent.create(type, user.id, Actor(user.id, client.ip)))
        if proof:
            proof.tell(self.mailer)
        user.last_login_at = session.created_at
        return session, token, user
