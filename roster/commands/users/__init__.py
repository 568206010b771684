"""`roster users`: manage accounts from a terminal."""

# Importing a module adds its commands to the group.
from roster.commands.users import (
    accounts,
    changes,
    export_users,
    import_users,
    moves,
    passwords,
    sessions,
)
from roster.commands.users.group import users

__all__ = [
    "accounts",
    "changes",
    "export_users",
    "import_users",
    "moves",
    "passwords",
    "sessions",
    "users",
]
