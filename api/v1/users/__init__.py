"""Users: register, list, read, update, delete."""

# Importing the routes adds them to the namespace.
from api.v1.users import routes
from api.v1.users.schemas import users

__all__ = ["routes", "users"]
