"""Sessions: sign in, reauthenticate, list, sign out."""

# Importing the routes adds them to the namespace.
from api.v1.sessions import routes
from api.v1.sessions.schemas import sessions

__all__ = ["routes", "sessions"]
