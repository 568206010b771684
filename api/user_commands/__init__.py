"""`roster users`: what an operator does with accounts from a terminal."""

# The commands are added to the group where they are declared.
from api.user_commands import accounts, importing, passwords
from api.user_commands.group import users

__all__ = ["accounts", "importing", "passwords", "users"]
