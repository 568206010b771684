"""Password resets by email."""

# Importing the routes adds them to the namespace.
from api.v1.password_resets import routes
from api.v1.password_resets.schemas import password_resets

__all__ = ["password_resets", "routes"]
