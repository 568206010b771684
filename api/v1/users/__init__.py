"""Accounts: register, list, read, change, delete."""

# The routes are added to the namespace where they are declared.
from api.v1.users import routes
from api.v1.users.schemas import users

__all__ = ["routes", "users"]
