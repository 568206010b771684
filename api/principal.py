"""Who is calling: the user, by a session or by an API key, and from where."""

from dataclasses import dataclass
from ipaddress import ip_address

from flask import g, request

from api.errors import RequestError
from api.services import api_keys, rules, sessions
from models import (
    ANONYMOUS,
    API_KEY_PREFIX,
    Actor,
    ApiKey,
    Client,
    Role,
    SecondFactorRule,
    Session,
    User,
    is_user_id,
)
from models.errors import (
    RecentAuthenticationRequired,
    SecondFactorEnrollmentRequired,
    Unauthenticated,
    UserNotFound,
)


@dataclass(frozen=True)
class Principal:
    """The user who makes the request, by a session or by an API key.

    Attributes:
        user: As it is now.
        key: The API key, None if it is a session that signs the user in.
    """

    user: User
    _other: User | None
    _session: Session | None = None
    key: ApiKey | None = None

    @property
    def session(self) -> Session:
        """The session that signs the caller in.

        Raises:
            RequestError: It is an API key that does.
        """
        if self._session is None:
            raise not_by_key()
        return self._session

    @property
    def actor(self) -> Actor:
        """The caller, as events name it."""
        return Actor(self.user.id, client().ip, self.key and self.key.id)

    @property
    def roles(self) -> list[str]:
        """The roles that count: a key has none that its owner has no more (ASVS 8.3.2)."""
        return self.key.roles_for(self.user) if self.key else self.user.roles

    @property
    def is_admin(self) -> bool:
        """Whether the role admin counts."""
        return Role.ADMIN in self.roles

    def is_active_admin(self) -> bool:
        """Whether the caller may do what only admins may.

        Raises:
            SecondFactorEnrollmentRequired: The caller could, with the second factor that is asked of admins.
        """
        if self.is_admin and _admins_need_second_factor() and not self.user.has_second_factor:
            raise SecondFactorEnrollmentRequired
        return self.is_admin

    def is_self(self, user_id: str) -> bool:
        """Whether an id in the URL means the caller."""
        return user_id in ("me", self.user.id)

    def get_visible_user(self, user_id: str) -> User:
        """The user an id in the URL means, if the caller may see it.

        Raises:
            UserNotFound: There is no such user, or it is somebody else's and the caller no admin.
            SecondFactorEnrollmentRequired: It is somebody else's, and the caller an admin without the second
                factor that is asked of admins.
        """
        if self.is_self(user_id):
            return self.user
        if not self.is_active_admin() or self._other is None:
            raise UserNotFound
        return self._other

    def require_self(self, user_id: str) -> None:
        """Refuse unless an id in the URL means the caller.

        Raises:
            UserNotFound: There is no such user, or the caller may not see it.
            RequestError: An admin may see it, but not do this for it.
        """
        if not self.is_self(user_id):
            self.get_visible_user(user_id)
            raise RequestError("forbidden", "Only the user itself may do this.")

    def must_be_fresh(self) -> None:
        """Refuse unless the caller gave the password a little while ago (ASVS 7.5.1).

        Raises:
            RequestError: The caller signs in with an API key.
            RecentAuthenticationRequired: That was too long ago.
        """
        if not self.session.is_fresh(rules.recent_auth):
            raise RecentAuthenticationRequired


def identify() -> Principal:
    """Who makes the request.

    Raises:
        Unauthenticated: It has no token of a living session or key of an active user.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    caller = _caller_of(token.strip())
    g.caller_id = caller.user.id
    return caller


def actor_of(caller: Principal | None) -> Actor:
    """Who makes a change, as events name it."""
    return caller.actor if caller else Actor(ANONYMOUS.user_id, client().ip)


def client() -> Client:
    """From where the request comes."""
    return Client(ip=_address(), user_agent=request.headers.get("User-Agent"))


def not_by_key() -> RequestError:
    """What keys are told where only sessions may."""
    return RequestError("forbidden", "An API key may not do this; sign in.")


def _address() -> str | None:
    """The client's address; None where the proxy that is believed names none."""
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return None
    # A socket for both versions of IP writes 192.0.2.7 as ::ffff:192.0.2.7: one client, one name.
    return str(getattr(address, "ipv4_mapped", None) or address)


def _caller_of(token: str) -> Principal:
    other_user_id = _other_user_id()
    if not token.startswith(API_KEY_PREFIX):
        signed_in = sessions.find(token, other_user_id=other_user_id)
        return Principal(signed_in.user, signed_in.other, _session=signed_in.session)
    found = api_keys.find(token, other_user_id=other_user_id)
    if found is None:
        raise Unauthenticated
    return Principal(found.user, found.other, key=found.key)


def _admins_need_second_factor() -> bool:
    return rules.second_factor is SecondFactorRule.ADMINS


def _other_user_id() -> str | None:
    """The user in the URL, to be read together with the caller: one round trip, not two."""
    id = (request.view_args or {}).get("id", "")
    return id if is_user_id(id) else None
