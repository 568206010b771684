"""The domain: what the API may use. It knows nothing about HTTP."""

from models.db import db
from models.email import Mail, Mailer, MailKind, NoMailer
from models.security.passwords import (
    CHEAPEST,
    OWASP,
    SHORTEST_PASSWORD_MIN_LENGTH,
    Passwords,
    Profile,
)
from models.security.totp import RECOVERY_CODES, NewSecret, Totp, secrets_from
from models.services.account_emails import MailRequests
from models.services.accounts import Accounts
from models.services.api_keys import (
    API_KEY_ID_PATTERN,
    API_KEY_NAME_PATTERN,
    API_KEY_PREFIX,
    MOST_API_KEYS,
    ApiKey,
    ApiKeys,
    FoundKey,
)
from models.services.email_verification import Confirmations
from models.services.login_lookup import Logins
from models.services.passwords import Credentials
from models.services.registry import AccessRules, SecondFactorRule, Services, SignUp
from models.services.second_factors import SecondFactors, SecondFactorStatus
from models.services.session_cleanup import resume_sweeps
from models.services.sessions import SignIn
from models.services.user_import import Imports
from models.tables.audit_event import EVENT_ID_PATTERN, NOBODY, Actor, Event, EventType, events_of
from models.tables.identifier import USERNAME_PATTERN
from models.tables.rate_limit import Allowance, Policy, RateLimits
from models.tables.session import SESSION_ID_PATTERN, Client, Found, Lifetimes, Session
from models.tables.user import USER_ID_PATTERN, Role, Status, User, UserFilter, is_user_id

__all__ = [
    "API_KEY_ID_PATTERN",
    "API_KEY_NAME_PATTERN",
    "API_KEY_PREFIX",
    "CHEAPEST",
    "EVENT_ID_PATTERN",
    "MOST_API_KEYS",
    "NOBODY",
    "OWASP",
    "RECOVERY_CODES",
    "SESSION_ID_PATTERN",
    "SHORTEST_PASSWORD_MIN_LENGTH",
    "USERNAME_PATTERN",
    "USER_ID_PATTERN",
    "AccessRules",
    "Accounts",
    "Actor",
    "Allowance",
    "ApiKey",
    "ApiKeys",
    "Client",
    "Confirmations",
    "Credentials",
    "Event",
    "EventType",
    "Found",
    "FoundKey",
    "Imports",
    "Lifetimes",
    "Logins",
    "Mail",
    "MailKind",
    "MailRequests",
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
    "SignIn",
    "SignUp",
    "Status",
    "Totp",
    "User",
    "UserFilter",
    "db",
    "events_of",
    "is_user_id",
    "resume_sweeps",
    "secrets_from",
]
