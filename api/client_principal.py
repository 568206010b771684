"""A client as the caller of a request under /v1: a program that belongs to no user."""

from dataclasses import dataclass
from typing import NoReturn

from flask import g

from api.client import client
from api.errors import RequestError
from api.services import accounts, clients
from models import Actor, ClientAuthority, ClientScope, ClientSecret, OAuthClient, Right, User

_CLOSED = "A client may not do this; a user must sign in."


@dataclass(frozen=True)
class ClientPrincipal:
    """The client that makes the request, authenticated by its secret.

    It has no rights of a user: it reads users and events, and changes what does not decide about
    access. Whatever requires the rights of an admin or recent authentication is rejected.

    Attributes:
        client: The client.
        scope: The scope that has opened the route.
    """

    client: OAuthClient
    scope: ClientScope
    _secret: ClientSecret

    @property
    def id(self) -> str:
        """The ID of the client."""
        return str(self.client.id)

    @property
    def actor(self) -> Actor:
        """The client as the actor of audit events."""
        authority = ClientAuthority(self.client, self._secret, self.scope)
        origin = client()
        return Actor(self.id, origin.ip, authority=authority, user_agent=origin.user_agent)

    @property
    def is_admin(self) -> bool:
        """Whether the caller is an admin: a client is none."""
        return False

    @property
    def sees_all_users(self) -> bool:
        """Whether the caller sees every user: a client does on the routes that it may call."""
        return True

    def is_self(self, user_id: str) -> bool:
        """Return whether an ID in the URL means the caller: a client is no user."""
        return False

    def has_right(self, right: Right) -> bool:
        """Return whether the caller may use a right of a role: a client has scopes instead."""
        return False

    def may_create_users(self) -> bool:
        """Return whether the caller may create users while sign-up is closed."""
        return True

    def may_manage_users(self) -> bool:
        """Return whether the caller may set what only operators set of users."""
        return True

    def may_assign_any_username(self) -> bool:
        """Return whether the caller may assign reserved usernames: a client may not."""
        return False

    def may_use_any_domain(self) -> bool:
        """Return whether addresses may have a domain that is closed to sign-ups."""
        return True

    def get_visible_user(self, user_id: str) -> User:
        """Return the user with this ID, strongly consistent.

        Raises:
            UserNotFound: There is no such user; a client has no `me`.
        """
        return accounts.get(user_id)

    def get_controlled_user(self, user_id: str, right: Right, *, even_own: bool = False) -> User:
        """Return the user with this ID, strongly consistent; `Actor` protects admins.

        Raises:
            UserNotFound: There is no such user; a client has no `me`.
        """
        return self.get_visible_user(user_id)

    def require_recent_auth(self) -> NoReturn:
        """Reject the request: a client cannot authenticate again.

        Raises:
            RequestError: Always.
        """
        raise RequestError("forbidden", _CLOSED)

    def require_account_control(self) -> NoReturn:
        """Reject the request: a client does not control the access of users, or their names.

        Raises:
            RequestError: Always.
        """
        raise RequestError(
            "forbidden",
            "A client may not change emails, usernames, roles and statuses, or delete users.",
        )


def identify_client(secret: str, scope: ClientScope | None) -> ClientPrincipal:
    """Return the client that makes the current request.

    Args:
        secret: The secret that it presented.
        scope: The scope that opens the route, None for a route that is closed to clients.

    Raises:
        InvalidClient: No client that is not disabled has this secret.
        RequestError: The route is closed to clients, or the client lacks the scope.
    """
    found = clients.authenticate(secret)
    # The caller, for the log and the audit events of rejected requests.
    g.oauth_client = found
    if scope is None:
        raise RequestError("forbidden", _CLOSED)
    if scope not in found.scopes:
        raise RequestError("forbidden", f"This client lacks the scope `{scope}`.")
    authenticated_by = found.find_secret(secret)
    assert authenticated_by is not None  # nosec B101 - for the type checker
    return ClientPrincipal(found, scope, authenticated_by)
