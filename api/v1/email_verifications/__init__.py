"""Email verification."""

# Importing the routes adds them to the namespace.
from api.v1.email_verifications import routes
from api.v1.email_verifications.schemas import email_verifications

__all__ = ["email_verifications", "routes"]
