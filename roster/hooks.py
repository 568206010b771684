"""What modules of hooks import: the arguments and results of their functions.

ROSTER_HOOKS names such a module. The guide is docs/hooks.md.
"""

from models.hooks import Additions, Caller, Refusal, Registration, SignIn, Update, UserSnapshot

__all__ = [
    "Additions",
    "Caller",
    "Refusal",
    "Registration",
    "SignIn",
    "Update",
    "UserSnapshot",
]
