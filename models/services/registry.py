"""The services that one configuration yields, and the access rules for their callers."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from models.roles import BUILT_IN_ROLES, KnownRoles
from models.services.access_tokens import AccessTokens
from models.services.accounts import Accounts
from models.services.api_keys import ApiKeys
from models.services.background import Background
from models.services.email_verification import EmailVerification
from models.services.fixed_signing_keys import SigningKeySource
from models.services.hooks import Hooks
from models.services.introspection import Introspection
from models.services.invitations import Invitations
from models.services.key_rotation import KeyRotation
from models.services.merged_events import MergedEvents
from models.services.name_moves import NameMoves
from models.services.oauth_clients import OAuthClients
from models.services.passwords import PasswordService
from models.services.second_factors import SecondFactors
from models.services.sessions import SessionService
from models.services.statistics import Statistics


class SecondFactorRule(StrEnum):
    """Who must have a second factor: no user, or admins and others with rights over accounts."""

    OPTIONAL = "optional"
    ADMINS = "admins"


class SignUp(StrEnum):
    """Who may create users: anyone, or admins only."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class AccessRules:
    """What callers are held to, whichever interface they use.

    Attributes:
        signup: Who may create users.
        second_factor: Who must have a second factor.
        roles: The roles that users can have.
        recent_auth: How long after authentication sensitive changes are allowed.
        failed_sign_in_time: How long a failed sign-in takes at least.
        verifies_addresses: Whether keys and second factors require a verified address, since
            emails can be sent.
    """

    signup: SignUp = SignUp.OPEN
    second_factor: SecondFactorRule = SecondFactorRule.OPTIONAL
    roles: KnownRoles = BUILT_IN_ROLES
    recent_auth: timedelta = timedelta(minutes=10)
    failed_sign_in_time: timedelta = timedelta(0)
    verifies_addresses: bool = False


@dataclass(frozen=True)
class Services:
    """Every service of the domain, built from one configuration."""

    accounts: Accounts
    name_moves: NameMoves
    sessions: SessionService
    passwords: PasswordService
    email_verification: EmailVerification
    second_factors: SecondFactors
    api_keys: ApiKeys
    clients: OAuthClients
    invitations: Invitations
    introspection: Introspection
    access_tokens: AccessTokens
    signing_keys: SigningKeySource
    key_rotation: KeyRotation
    merged_events: MergedEvents
    statistics: Statistics
    background: Background
    hooks: Hooks
    rules: AccessRules
