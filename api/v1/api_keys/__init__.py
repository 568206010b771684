"""API keys: create, list, revoke."""

# Importing the routes adds them to the namespace.
from api.v1.api_keys import routes
from api.v1.api_keys.schemas import api_keys

__all__ = ["api_keys", "routes"]
