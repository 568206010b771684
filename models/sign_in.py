"""Who is there: signing in, finding the session of a token, ending sessions."""

from pynamodb.expressions.update import Action

from models import session as sessions
from models.db import db
from models.errors import (
    Contended,
    InvalidCredentials,
    SessionNotFound,
    Unauthenticated,
    UserNotFound,
    VersionMismatch,
)
from models.event import Actor, Event, EventType
from models.identifier import Identifier, claim_of_login
from models.passwords import Passwords
from models.session import Client, Found, Lifetimes, Session
from models.sweep import sweep
from models.user import User

# How often a sign-in is tried on an account that changes under it.
_TRIES = 5
# A claim and an id that nobody has: looked up where there is nothing to look up, so that a known
# and an unknown login cost the same calls (ASVS 6.3.8).
_NO_CLAIM = "nobody"
_NO_ID = "nobody"


class SignIn:
    """Operations on sessions under one password policy and one set of lifetimes."""

    def __init__(self, passwords: Passwords, lifetimes: Lifetimes) -> None:
        self.passwords = passwords
        self.lifetimes = lifetimes

    def open(self, login: str, password: str, client: Client) -> tuple[Session, str, User]:
        """Sign somebody in.

        Args:
            login: The user name or the e-mail address.
            password: As it was typed.
            client: From where.

        Returns:
            The session, its token (which is kept nowhere), and the user.

        Raises:
            InvalidCredentials: For an unknown user, a wrong password and a user who may not sign
                in alike, after the same work.
            Contended: The account changed under every one of several tries.
        """
        for _ in range(_TRIES):
            user = _find_by_login(login)
            is_right, newer_hash = self.passwords.verify(password, user and user.password_hash)
            if user is None or not is_right or not user.is_active:
                raise InvalidCredentials
            try:
                return self._open(user, newer_hash, client)
            except VersionMismatch:
                continue
        raise Contended

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
            transaction.save(Event.of(EventType.SESSION_ENDED, user.id, by))

    def end_all(self, user: User, *, by: Actor) -> None:
        """End every session of a user at once.

        Raises:
            UserNotFound: The user is gone, and its sessions with it.
        """
        event = Event.of(EventType.SESSIONS_ENDED, user.id, by, sweeps=True)
        epoch = user.epoch + 1
        with db.transaction() as transaction:
            transaction.update(
                user, [User.epoch.add(1)], User.id.exists(), otherwise=UserNotFound()
            )
            transaction.save(event)
        sweep(event, before_epoch=epoch)

    def _open(
        self, user: User, newer_hash: str | None, client: Client
    ) -> tuple[Session, str, User]:
        session, token = Session.new(user, client, self.lifetimes)
        actions: list[Action] = [User.last_login_at.set(session.created_at)]
        if newer_hash:
            actions.append(User.password_hash.set(newer_hash))
        # The version stays: signing in must not void what an editor has read. The epoch is
        # part of the condition, since it rises with a suspension and a new password.
        is_same = (User.epoch == user.epoch) & (User.password_hash == user.password_hash)
        with db.transaction() as transaction:
            transaction.save(session)
            transaction.update(user, actions, is_same, otherwise=VersionMismatch())
            transaction.save(Event.of(EventType.SESSION_OPENED, user.id, Actor(user.id, client.ip)))
        user.last_login_at = session.created_at
        return session, token, user


def _find_by_login(login: str) -> User | None:
    claim = claim_of_login(login)
    try:
        user_id = Identifier.get(claim or _NO_CLAIM, consistent_read=True).owner
    except Identifier.DoesNotExist:
        user_id = _NO_ID
    try:
        return User.get(user_id, consistent_read=True)  # type: ignore[no-any-return]
    except User.DoesNotExist:
        return None
