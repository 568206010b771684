"""Moves of usernames and email addresses between users."""

# Importing the routes adds them to the namespace.
from api.v1.moves import routes
from api.v1.moves.schemas import moves

__all__ = ["moves", "routes"]
