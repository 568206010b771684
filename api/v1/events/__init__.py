"""Audit events of a user."""

# Importing the routes adds them to the namespace.
from api.v1.events import routes
from api.v1.events.schemas import events

__all__ = ["events", "routes"]
