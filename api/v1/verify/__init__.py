"""Verification of requests for gateways."""

# Importing the routes adds them to the namespace.
from api.v1.verify import routes
from api.v1.verify.schemas import verify

__all__ = ["routes", "verify"]
