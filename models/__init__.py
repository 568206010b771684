"""The domain: what the API may use. It knows nothing about HTTP."""

from models.accounts import Accounts
from models.api_key import (
    API_KEY_ID_PATTERN,
    API_KEY_NAME_PATTERN,
    API_KEY_PREFIX,
    MOST_API_KEYS,
    ApiKey,
    ApiKeys,
    FoundKey,
)
from models.confirmations import Confirmations
from models.credentials import Credentials
from models.db import db
from models.event import EVENT_ID_PATTERN, NOBODY, Actor, Event, EventType, events_of
from models.identifier import USERNAME_PATTERN
from models.imports import Imports
from models.logins import Logins
from models.mail import Mail, Mailer, MailKind, NoMailer
from models.mail_requests import MailRequests
from models.passwords import (
    CHEAPEST,
    OWASP,
    SHORTEST_PASSWORD_MIN_LENGTH,
    Passwords,
    Profile,
)
from models.rate_limit import Allowance, Policy, RateLimits
from models.second_factor import SecondFactors, SecondFactorStatus
from models.session import SESSION_ID_PATTERN, Client, Found, Lifetimes, Session
from models.sign_in import SignIn
from models.sweep import resume_sweeps
from models.totp import RECOVERY_CODES, NewSecret, Totp, secrets_from
from models.user import USER_ID_PATTERN, Role, Status, User, UserFilter, is_user_id

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
    "SecondFactorStatus",
    "SecondFactors",
    "Session",
    "SignIn",
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
