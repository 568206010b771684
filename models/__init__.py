"""The domain: what the API may use. It knows nothing about HTTP."""

from models.accounts import Accounts
from models.db import db
from models.event import NOBODY, Actor
from models.passwords import CHEAPEST, OWASP, Passwords, Profile
from models.session import Client, Found, Lifetimes, Session
from models.sign_in import SignIn
from models.sweep import resume_sweeps
from models.user import Role, Status, User, UserFilter

__all__ = [
    "CHEAPEST",
    "NOBODY",
    "OWASP",
    "Accounts",
    "Actor",
    "Client",
    "Found",
    "Lifetimes",
    "Passwords",
    "Profile",
    "Role",
    "Session",
    "SignIn",
    "Status",
    "User",
    "UserFilter",
    "db",
    "resume_sweeps",
]
