"""Invitations."""

# Importing the routes adds them to the namespace.
from api.v1.invitations import routes
from api.v1.invitations.schemas import invitations

__all__ = ["invitations", "routes"]
