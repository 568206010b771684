"""The authenticated caller of a request: a user with a session or an API key."""

from dataclasses import dataclass, field

from flask import g, request

from api.client import client
from api.errors import RequestError
from api.services import api_keys, rules, sessions
from models import (
    API_KEY_PREFIX,
    Actor,
    ApiKey,
    Authority,
    Right,
    Role,
    Scope,
    SecondFactorRule,
    Session,
    User,
    allows_writes,
    has_right,
    is_user_id,
    role_required,
    strongest_role,
)
from models.errors import (
    EmailNotVerified,
    RecentAuthenticationRequired,
    SecondFactorEnrollmentRequired,
    SecondFactorNotUsed,
    Unauthenticated,
    UserNotFound,
)

# Routes that name a user have its ID as this argument. That user is read together with the
# caller: one round trip, not two.
_USER_ID_ARGUMENT = "id"


@dataclass(frozen=True)
class Principal:
    """The user who makes the request, authenticated by a session or by an API key.

    Attributes:
        user: The current user.
        key: The API key, None if a session authenticates the user.
    """

    user: User
    _other: User | None
    _session: Session | None = None
    key: ApiKey | None = None
    # The role whose rights over other accounts the request has used, which must then hold until the
    # commit.
    _used_roles: set[Role] = field(default_factory=set, repr=False, compare=False)
    # The users who must be no admins until the commit.
    _non_admins: set[str] = field(default_factory=set, repr=False, compare=False)
    # The properties of the user that the request depends on, until the commit as well.
    _required: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def session(self) -> Session:
        """The session that authenticates the caller.

        Raises:
            RequestError: An API key authenticates the caller.
        """
        if self._session is None:
            raise session_required()
        return self._session

    @property
    def actor(self) -> Actor:
        """The caller as the actor of audit events."""
        authority = Authority(
            self.user,
            self.key or self.session,
            role=next(iter(self._used_roles), None),
            non_admins=frozenset(self._non_admins),
            requires_second_factor=rules.second_factor is SecondFactorRule.ADMINS,
            requires_verified_email="verified email" in self._required,
        )
        key_id = self.key.id if self.key else None
        origin = client()
        return Actor(self.user.id, origin.ip, key_id, authority, origin.user_agent)

    @property
    def id(self) -> str:
        """The ID of the user."""
        return str(self.user.id)

    @property
    def roles(self) -> list[str]:
        """The effective roles: a key has no role that its owner has lost (ASVS 8.3.2)."""
        return rules.roles.counting(self.key.roles_for(self.user) if self.key else self.user.roles)

    @property
    def is_admin(self) -> bool:
        """Whether `admin` is an effective role."""
        return Role.ADMIN in self.roles

    @property
    def sees_all_users(self) -> bool:
        """Whether one of the effective roles shows every user."""
        return has_right(strongest_role(self.roles), Right.READ)

    def is_self(self, user_id: str) -> bool:
        """Return whether an ID in the URL means the caller."""
        return user_id in ("me", self.user.id)

    def has_right(self, right: Right) -> bool:
        """Return whether the caller may use a right, which must then hold until the commit.

        Raises:
            SecondFactorEnrollmentRequired: The role of the caller includes the right, but the
                caller lacks the second factor that the service requires for it.
            SecondFactorNotUsed: The session or key was created without it.
        """
        role = strongest_role(self.roles)
        if role is None or not has_right(role, right):
            return False
        if rules.second_factor is SecondFactorRule.ADMINS:
            self._require_second_factor()
        self._used_roles.add(role)
        return True

    def may_change(self, user: User, right: Right) -> bool:
        """Return whether the caller's roles allow a change of a user that requires a right."""
        role = strongest_role(self.roles)
        return has_right(role, right) and (role is Role.ADMIN or not user.is_admin)

    def require_right(self, right: Right, over: User | None = None) -> None:
        """Reject the request unless the caller may use a right.

        Args:
            right: The right.
            over: The user whose account it is used for.

        Raises:
            RoleRequired: The caller lacks the right, or may not change an admin.
            SecondFactorEnrollmentRequired: See `has_right`.
            SecondFactorNotUsed: See `has_right`.
        """
        if not self.has_right(right):
            raise role_required(right)
        if over is not None and not self.is_admin:
            self._non_admins.add(over.id)
            self.actor.require_may_change(over)

    def may_create_users(self) -> bool:
        """Return whether the caller may create users while sign-up is closed: as an admin.

        Raises:
            SecondFactorEnrollmentRequired: See `has_right`.
            SecondFactorNotUsed: See `has_right`.
        """
        return self.has_right(Right.ADMINISTER)

    def may_manage_users(self) -> bool:
        """Return whether the caller may set what only operators set of users: as an admin.

        Raises:
            SecondFactorEnrollmentRequired: See `has_right`.
            SecondFactorNotUsed: See `has_right`.
        """
        return self.has_right(Right.ADMINISTER)

    def may_assign_any_username(self) -> bool:
        """Return whether the caller may assign reserved usernames: as an admin."""
        try:
            return self.has_right(Right.ADMINISTER)
        except (SecondFactorEnrollmentRequired, SecondFactorNotUsed):
            return False

    def may_use_any_domain(self) -> bool:
        """Return whether addresses may have a domain that is closed to sign-ups: as an admin."""
        return self.may_assign_any_username()

    def _require_second_factor(self) -> None:
        if not self.user.has_second_factor:
            raise SecondFactorEnrollmentRequired
        if self.key and not self.key.used_second_factor:
            raise SecondFactorNotUsed(
                "This key was created without a second factor. Create another one in a session that"
                " has used it."
            )
        if not self.key and not self.session.used_second_factor:
            raise SecondFactorNotUsed

    def get_visible_user(self, user_id: str) -> User:
        """Return the user that an ID in the URL means, if the caller may see it.

        Raises:
            UserNotFound: There is no such user, or the caller may not see it.
            SecondFactorEnrollmentRequired: See `has_right`.
        """
        if self.is_self(user_id):
            return self.user
        if not self.has_right(Right.READ) or self._other is None:
            raise UserNotFound
        return self._other

    def get_controlled_user(self, user_id: str, right: Right, *, even_own: bool = False) -> User:
        """Return the user that an ID in the URL means, if the caller may change it.

        Args:
            user_id: The ID, or `me`.
            right: The right that changing another user requires.
            even_own: Whether changing the own account requires it, too.

        Raises:
            UserNotFound: There is no such user, or the caller may not see it.
            RoleRequired: The caller may see the user, but not change it.
            SecondFactorEnrollmentRequired: See `has_right`.
        """
        user = self.get_visible_user(user_id)
        if even_own or not self.is_self(user_id):
            self.require_right(right, user)
        return user

    def require_self(self, user_id: str) -> None:
        """Reject the request unless an ID in the URL means the caller.

        Raises:
            UserNotFound: There is no such user, or the caller may not see it.
            RequestError: The caller may see the user, but not do this for it.
        """
        if not self.is_self(user_id):
            self.get_visible_user(user_id)
            raise RequestError("forbidden", "Only the user may do this.")

    def require_recent_auth(self) -> None:
        """Reject the request unless the caller authenticated recently (ASVS 7.5.1).

        Raises:
            RequestError: An API key authenticates the caller.
            RecentAuthenticationRequired: The authentication is too old.
        """
        if not self.session.is_recent(rules.recent_auth):
            raise RecentAuthenticationRequired

    def require_verified_email(self) -> None:
        """Reject the request if emails are sent and the caller's address is not verified.

        Before that, the account may have been registered by another person than the owner of the
        address, who must not find keys or a second factor of that person.

        Raises:
            EmailNotVerified: The address is not verified.
        """
        if not rules.verifies_addresses:
            return
        if not self.user.email_verified:
            raise EmailNotVerified
        self._required.add("verified email")

    def require_account_control(self) -> None:
        """Reject the request unless the caller may decide about access to accounts and their names.

        A session needs recent authentication, an API key the scope `accounts`.

        Raises:
            RequestError: The key lacks the scope.
            RecentAuthenticationRequired: The authentication is too old.
        """
        if self.key is None:
            self.require_recent_auth()
        elif Scope.ACCOUNTS not in (self.key.scopes or ()):
            raise RequestError(
                "forbidden",
                "This API key lacks the scope `accounts`, which usernames, roles and statuses, new"
                " admins and deleting users require. Sign in, or use a key with this scope.",
            )

    def require_any_role(self) -> None:
        """Reject the request if an API key without roles makes it: such a key can only read.

        Raises:
            RequestError: The key has no role, or its owner has lost all of them.
        """
        if self.key and not self.roles:
            raise RequestError("forbidden", "This API key has no roles: it can only read.")

    def require_write_access(self) -> None:
        """Reject the request if an API key makes it whose roles do not allow changes.

        Raises:
            RequestError: The key has none of the roles that do.
        """
        if self.key and not allows_writes(self.roles):
            raise RequestError(
                "forbidden",
                "This API key can only read: changes require one of the roles user, support and"
                " admin.",
            )


def identify() -> Principal:
    """Return the caller of the current request.

    Raises:
        Unauthenticated: The request has no token of an active session or API key.
    """
    caller = _authenticate(bearer_token())
    g.caller = caller
    return caller


def bearer_token() -> str:
    """Return the bearer token of the current request.

    Raises:
        Unauthenticated: The request has none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return token.strip()


def identify_session(token: str) -> Principal:
    """Return the caller whose browser presents the token of a session, never of an API key.

    Raises:
        Unauthenticated: The token belongs to no active session.
    """
    found = sessions.authenticate(token, other_user_id=_other_user_id())
    caller = Principal(found.user, found.other, _session=found.session)
    g.caller = caller
    return caller


def anonymous_actor() -> Actor:
    """Return the actor of audit events for a caller who is not signed in."""
    return Actor.from_client(client())


def session_required() -> RequestError:
    """Return the error for an API key where only sessions are accepted."""
    return RequestError("forbidden", "An API key may not do this; sign in.")


def _authenticate(token: str) -> Principal:
    other_user_id = _other_user_id()
    if not token.startswith(API_KEY_PREFIX):
        found = sessions.authenticate(token, other_user_id=other_user_id)
        return Principal(found.user, found.other, _session=found.session)
    key = api_keys.authenticate(token, other_user_id=other_user_id)
    return Principal(key.user, key.other, key=key.key)


def _other_user_id() -> str | None:
    id = (request.view_args or {}).get(_USER_ID_ARGUMENT, "")
    return id if is_user_id(id) else None
