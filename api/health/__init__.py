"""Health checks."""

# Importing the routes adds them to the namespace.
from api.health import routes
from api.health.schemas import health

__all__ = ["health", "routes"]
