"""`roster users`: manage accounts from a terminal."""

# Importing a module adds its commands to the group.
from roster.commands.users import accounts, import_users, passwords
from roster.commands.users.group import users

__all__ = ["accounts", "import_users", "passwords", "users"]
