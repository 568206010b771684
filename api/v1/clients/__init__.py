"""Clients: programs that belong to no user."""

# Importing the routes adds them to the namespace.
from api.v1.clients import routes
from api.v1.clients.schemas import clients

__all__ = ["clients", "routes"]
