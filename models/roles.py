"""Roles: those that are built in, those of the operator, and what each allows in this service."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.errors import InvalidField, RoleRequired, UnknownRole, raise_together


class Role(StrEnum):
    """The roles that are built in."""

    ADMIN = "admin"
    USER = "user"
    # Reads every account.
    AUDITOR = "auditor"
    # Reads every account, and helps users who are no admins.
    SUPPORT = "support"


class Right(StrEnum):
    """What a role allows with the accounts of other users. Each includes the ones before it."""

    # Read users, events, sessions and statistics.
    READ = "read"
    # Unlock, start a password reset, end sessions, suspend and reactivate; except admins.
    SUPPORT = "support"
    # Everything.
    ADMINISTER = "administer"


# The roles with rights over the accounts of others, the strongest first. A role of the operator
# has none: it is for other services.
PRIVILEGED_ROLES = (Role.ADMIN, Role.SUPPORT, Role.AUDITOR)
_GRANTED_BY = {
    Right.READ: PRIVILEGED_ROLES,
    Right.SUPPORT: (Role.ADMIN, Role.SUPPORT),
    Right.ADMINISTER: (Role.ADMIN,),
}
# The most that each of them allows.
RIGHT_OF = {
    Role.ADMIN: Right.ADMINISTER,
    Role.SUPPORT: Right.SUPPORT,
    Role.AUDITOR: Right.READ,
}
# The roles that allow an API key to change the account of its owner.
_WRITING_ROLES = frozenset({Role.ADMIN, Role.SUPPORT, Role.USER})
# Roles of the operator, and of one user: access tokens and the header fields of gateways have a
# limited length.
MAX_OWN_ROLES = 50
MAX_ROLES = 20


def strongest_role(roles: Collection[str]) -> Role | None:
    """Return the role with the most rights over other accounts, None if there is none."""
    return next((role for role in PRIVILEGED_ROLES if role in roles), None)


def has_right(role: Role | None, right: Right) -> bool:
    """Return whether a role includes a right."""
    return role in _GRANTED_BY[right]


def allows_writes(roles: Collection[str]) -> bool:
    """Return whether an API key with these roles may change the account of its owner."""
    return not _WRITING_ROLES.isdisjoint(roles)


def unprivileged(roles: Sequence[str]) -> list[str]:
    """Return the roles without those that have rights over other accounts."""
    return [role for role in roles if role not in PRIVILEGED_ROLES]


def role_required(right: Right) -> RoleRequired:
    """Return the error for a caller without a right."""
    return RoleRequired(_REQUIRED[right])


_REQUIRED = {
    Right.READ: "Only an admin, support or an auditor may do this.",
    Right.SUPPORT: "Only an admin or support may do this.",
    Right.ADMINISTER: "Only an admin may do this.",
}


@dataclass(frozen=True)
class KnownRoles:
    """The roles that users can have: those that are built in and those of the operator.

    A role that the operator has removed stays with its users, is shown, and counts for nothing.

    Attributes:
        own: The roles of the operator.
    """

    own: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """All roles, the built-in ones first."""
        return [*(role.value for role in Role), *self.own]

    def counting(self, roles: Sequence[str]) -> list[str]:
        """Return the roles that count: all but those that the operator has removed."""
        return [role for role in roles if self.is_known(role)]

    def require_known(self, roles: Sequence[str], *, kept: Collection[str] = ()) -> None:
        """Reject roles that a user cannot get.

        Args:
            roles: The roles of a request.
            kept: The roles that the user has: a removed one may stay.

        Raises:
            UnknownRole: One of the roles is not known, or no longer.
            InvalidField: There are too many roles.
        """
        raise_together(self.faults_of(roles, kept=kept))

    def faults_of(self, roles: Sequence[str], *, kept: Collection[str] = ()) -> list[InvalidField]:
        """Return the faults of the roles of a request; see `require_known`."""
        if len(roles) > MAX_ROLES:
            return [InvalidField("roles", f"A user has at most {MAX_ROLES} roles.")]
        return [
            UnknownRole("roles", self.names, [str(position)])
            for position, role in enumerate(roles)
            if role not in kept and not self.is_known(role)
        ]

    def require_filter(self, role: str) -> None:
        """Reject a filter by a role that is not known.

        Raises:
            UnknownRole: The role is not known.
        """
        if not self.is_known(role):
            raise UnknownRole("role", self.names)

    def is_known(self, role: str) -> bool:
        """Return whether users can get a role."""
        return role in _BUILT_IN or role in self.own


_BUILT_IN = frozenset(role.value for role in Role)
# Without roles of the operator.
BUILT_IN_ROLES = KnownRoles()
