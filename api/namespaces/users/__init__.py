"""Accounts: register, list, read, change, delete."""

# The routes are added to the namespace where they are declared.
from api.namespaces.users import resources
from api.namespaces.users.schemas import users

__all__ = ["resources", "users"]
