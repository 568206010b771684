"""Access tokens for other services."""

# Importing the routes adds them to the namespace.
from api.v1.tokens import routes
from api.v1.tokens.schemas import tokens

__all__ = ["routes", "tokens"]
