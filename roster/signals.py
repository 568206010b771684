"""Signals for apps that embed Roster, sent after changes. The guide is docs/hooks.md."""

from models.hooks import Caller, Deletion, Registration, SignIn, Update, UserSnapshot
from models.signals import session_opened, user_deleted, user_registered, user_updated

__all__ = [
    "Caller",
    "Deletion",
    "Registration",
    "SignIn",
    "Update",
    "UserSnapshot",
    "session_opened",
    "user_deleted",
    "user_registered",
    "user_updated",
]
