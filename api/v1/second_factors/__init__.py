"""Second factors: enroll, confirm, renew recovery codes, disable."""

# Importing the routes adds them to the namespace.
from api.v1.second_factors import routes
from api.v1.second_factors.schemas import second_factors

__all__ = ["routes", "second_factors"]
