"""The domain: what the API may use. It knows nothing about HTTP."""

from models.db import db
from models.email import Email, EmailKind, Mailer, NoMailer
from models.security.passwords import (
    CHEAPEST_PROFILE,
    OWASP_PROFILE,
    SHORTEST_PASSWORD_MIN_LENGTH,
    Passwords,
    Profile,
)
from models.security.totp import RECOVERY_CODES, NewSecret, Totp, secrets_from
from models.services.account_emails import AccountEmails
from models.services.accounts import Accounts
from models.services.api_keys import (
    API_KEY_ID_PATTERN,
    API_KEY_NAME_PATTERN,
    API_KEY_PREFIX,
    MAX_API_KEYS,
    ApiKey,
    ApiKeyLookup,
    ApiKeys,
)
from models.services.email_verification import EmailVerification
from models.services.login_lookup import LoginLookup
from models.services.passwords import Credentials
from models.services.registry import AccessRules, SecondFactorRule, Services, SignUp
from models.services.second_factors import SecondFactors, SecondFactorStatus
from models.services.session_cleanup import resume_cleanup
from models.services.sessions import SessionService
from models.services.user_import import UserImport
from models.tables.audit_event import (
    ANONYMOUS,
    EVENT_ID_PATTERN,
    Actor,
    AuditEvent,
    EventType,
    events_of,
)
from models.tables.identifier import USERNAME_PATTERN
from models.tables.rate_limit import Allowance, Policy, RateLimits
from models.tables.session import SESSION_ID_PATTERN, Client, Found, Lifetimes, Session
from models.tables.user import USER_ID_PATTERN, Role, Status, User, UserFilter, is_user_id

__all__ = [
    "ANONYMOUS",
    "API_KEY_ID_PATTERN",
    "API_KEY_NAME_PATTERN",
    "API_KEY_PREFIX",
    "CHEAPEST_PROFILE",
    "EVENT_ID_PATTERN",
    "MAX_API_KEYS",
    "OWASP_PROFILE",
    "RECOVERY_CODES",
    "SESSION_ID_PATTERN",
    "SHORTEST_PASSWORD_MIN_LENGTH",
    "USERNAME_PATTERN",
    "USER_ID_PATTERN",
    "AccessRules",
    "AccountEmails",
    "Accounts",
    "Actor",
    "Allowance",
    "ApiKey",
    "ApiKeyLookup",
    "ApiKeys",
    "AuditEvent",
    "Client",
    "Credentials",
    "Email",
    "EmailKind",
    "EmailVerification",
    "EventType",
    "Found",
    "Lifetimes",
    "LoginLookup",
    "Mailer",
    "NewSecret",
    "NoMailer",
    "Passwords",
    "Policy",
    "Profile",
    "RateLimits",
    "Role",
    "SecondFactorRule",
    "SecondFactorStatus",
    "SecondFactors",
    "Services",
    "Session",
    "SessionService",
    "SignUp",
    "Status",
    "Totp",
    "User",
    "UserFilter",
    "UserImport",
    "db",
    "events_of",
    "is_user_id",
    "resume_cleanup",
    "secrets_from",
]
