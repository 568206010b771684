"""The domain: what the API, the pages and the commands may use. It knows nothing about HTTP."""

from models.db import db
from models.email import Email, EmailKind, Mailer, NoMailer
from models.roles import (
    MAX_OWN_ROLES,
    MAX_ROLES,
    PRIVILEGED_ROLES,
    KnownRoles,
    Right,
    Role,
    allows_writes,
    has_right,
    role_required,
    strongest_role,
    unprivileged,
)
from models.security.hash_pool import hash_load
from models.security.idempotency import IdempotentRequest
from models.security.password_policy import SHORTEST_PASSWORD_MIN_LENGTH, PasswordPolicy
from models.security.passwords import (
    CHEAPEST_PROFILE,
    OWASP_PROFILE,
    PasswordHasher,
    Profile,
)
from models.security.private_key_set import InvalidKeySet, parse_private_keys
from models.security.secret_keys import SecretKeys
from models.security.token_signing import KeyPair, TokenAlgorithm
from models.security.totp import RECOVERY_CODES, NewSecret, Totp
from models.services.access_tokens import AccessToken, AccessTokens
from models.services.account_emails import EMAIL_QUOTA, AccountEmails
from models.services.account_mailer import REQUESTED, AccountMailer
from models.services.accounts import Accounts, build_user
from models.services.active_token import ActiveClientToken, ActiveToken
from models.services.api_keys import MAX_API_KEYS, ApiKeys
from models.services.background import Background
from models.services.email_domains import EmailDomains
from models.services.email_verification import EmailVerification
from models.services.fixed_signing_keys import FixedSigningKeys, SigningKeySource
from models.services.hooks import HOOK_ARGUMENTS, HookFunction, HookName, Hooks
from models.services.idempotency import Idempotency
from models.services.introspection import Introspection
from models.services.invitations import Invitations
from models.services.key_rotation import KeyRotation, KeyState, KeyUse, Rekeyed
from models.services.login_lookup import LoginLookup
from models.services.merged_events import MergedEvents, client_key
from models.services.metadata import MetadataRules
from models.services.metadata_schema import InvalidSchema, compile_schema
from models.services.name_moves import Move, NameMoves
from models.services.oauth_clients import OAuthClients
from models.services.passwords import PasswordService
from models.services.registry import AccessRules, SecondFactorRule, Services, SignUp
from models.services.second_factors import SecondFactors, SecondFactorStatus
from models.services.session_cleanup import resume_cleanup
from models.services.session_opening import OpenedSession
from models.services.sessions import SessionService
from models.services.sign_in_attempts import lockout_began
from models.services.signing_key_ring import MAX_TOKEN_LIFETIME, SigningKeyState, SigningKeyStatus
from models.services.signing_keys import SigningKeys
from models.services.statistics import MAX_DAYS, Counts, DayCounts, Statistics, counted
from models.services.user_import import UserImport
from models.services.user_search import UserSearch
from models.services.usernames import UsernameMode, UsernameRules
from models.tables.api_key import API_KEY_PREFIX, ApiKey, ApiKeyLookup, Scope
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.authority import Authority
from models.tables.client_authority import ClientAuthority
from models.tables.daily_count import Counted
from models.tables.event_listing import EventFilter, list_events
from models.tables.identifier import SPECIAL_USE_DOMAINS, ascii_domain
from models.tables.invitation import Invitation
from models.tables.oauth_client import (
    CLIENT_SECRET_PREFIX,
    ClientKind,
    ClientScope,
    ClientSecret,
    OAuthClient,
)
from models.tables.rate_window import Allowance, RateLimit, RateLimiter
from models.tables.search_term import (
    SearchTerm,
    drop_rows,
    expire_row,
    is_indexed,
    write_rows,
)
from models.tables.session import AuthMethod, Client, Lifetimes, Session, SessionLookup
from models.tables.user import Status, User, is_user_id
from models.tables.user_listing import UserFilter

__all__ = [
    "ANONYMOUS",
    "API_KEY_PREFIX",
    "CHEAPEST_PROFILE",
    "CLIENT_SECRET_PREFIX",
    "EMAIL_QUOTA",
    "HOOK_ARGUMENTS",
    "MAX_API_KEYS",
    "MAX_DAYS",
    "MAX_OWN_ROLES",
    "MAX_ROLES",
    "MAX_TOKEN_LIFETIME",
    "OWASP_PROFILE",
    "PRIVILEGED_ROLES",
    "RECOVERY_CODES",
    "REQUESTED",
    "SHORTEST_PASSWORD_MIN_LENGTH",
    "SPECIAL_USE_DOMAINS",
    "AccessRules",
    "AccessToken",
    "AccessTokens",
    "AccountEmails",
    "AccountMailer",
    "Accounts",
    "ActiveClientToken",
    "ActiveToken",
    "Actor",
    "Allowance",
    "ApiKey",
    "ApiKeyLookup",
    "ApiKeys",
    "AuditEvent",
    "AuthMethod",
    "Authority",
    "Background",
    "Client",
    "ClientAuthority",
    "ClientKind",
    "ClientScope",
    "ClientSecret",
    "Counted",
    "Counts",
    "DayCounts",
    "Email",
    "EmailDomains",
    "EmailKind",
    "EmailVerification",
    "EventFilter",
    "EventType",
    "FixedSigningKeys",
    "HookFunction",
    "HookName",
    "Hooks",
    "Idempotency",
    "IdempotentRequest",
    "Introspection",
    "InvalidKeySet",
    "InvalidSchema",
    "Invitation",
    "Invitations",
    "KeyPair",
    "KeyRotation",
    "KeyState",
    "KeyUse",
    "KnownRoles",
    "Lifetimes",
    "LoginLookup",
    "Mailer",
    "MergedEvents",
    "MetadataRules",
    "Move",
    "NameMoves",
    "NewSecret",
    "NoMailer",
    "OAuthClient",
    "OAuthClients",
    "OpenedSession",
    "PasswordHasher",
    "PasswordPolicy",
    "PasswordService",
    "Profile",
    "RateLimit",
    "RateLimiter",
    "Rekeyed",
    "Right",
    "Role",
    "Scope",
    "SearchTerm",
    "SecondFactorRule",
    "SecondFactorStatus",
    "SecondFactors",
    "SecretKeys",
    "Services",
    "Session",
    "SessionLookup",
    "SessionService",
    "SignUp",
    "SigningKeySource",
    "SigningKeyState",
    "SigningKeyStatus",
    "SigningKeys",
    "Statistics",
    "Status",
    "TokenAlgorithm",
    "Totp",
    "User",
    "UserFilter",
    "UserImport",
    "UserSearch",
    "UsernameMode",
    "UsernameRules",
    "allows_writes",
    "ascii_domain",
    "build_user",
    "client_key",
    "compile_schema",
    "counted",
    "db",
    "drop_rows",
    "expire_row",
    "has_right",
    "hash_load",
    "is_indexed",
    "is_user_id",
    "list_events",
    "lockout_began",
    "parse_private_keys",
    "resume_cleanup",
    "role_required",
    "strongest_role",
    "unprivileged",
    "write_rows",
]
