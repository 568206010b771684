"""The authority of a client: the condition that must hold until a change is committed."""

from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from models.errors import InvalidClient, RoleRequired
from models.tables.oauth_client import ClientScope, ClientSecret, OAuthClient, find_client
from models.tables.user import User

# The conditions on items, by the model and the key of the item.
Conditions = dict[tuple[Any, ...], Condition]


@dataclass
class ClientAuthority:
    """What a request of a client is based on.

    Attributes:
        client: The client, as read when the request was authenticated.
        secret: The secret that authenticated it.
        scope: The scope that the request uses.
    """

    client: OAuthClient
    secret: ClientSecret
    scope: ClientScope

    @property
    def amr(self) -> list[str]:
        """The factors of a session: a client has none."""
        return []

    @property
    def conditions(self) -> Conditions:
        """The condition on the item of the client."""
        condition = (
            (OAuthClient.disabled == False)  # noqa: E712 - a condition of DynamoDB's
            & OAuthClient.scopes.contains(self.scope)
            # The secrets are one text, with the digest of each.
            & Path(OAuthClient.secrets.attr_name).contains(self.secret.digest)
        )
        return {(OAuthClient, self.client.id): condition}

    def require_may_change(self, user: User) -> None:
        """Reject a change of an admin.

        Raises:
            RoleRequired: The user is an admin.
        """
        if user.is_admin:
            raise RoleRequired("A client may not change admins.")

    def verify(self) -> None:
        """Read the client again.

        Raises:
            InvalidClient: The secret no longer authenticates the client.
            RoleRequired: The client no longer has the scope.
        """
        client = find_client(self.client.id)
        if client is None or not client.accepts(self.secret.digest):
            raise InvalidClient
        if self.scope not in client.scopes:
            raise RoleRequired(f"This client lacks the scope `{self.scope}`.")
