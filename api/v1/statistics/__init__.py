"""Counts of users, sign-ups and sign-ins."""

# Importing the routes adds them to the namespace.
from api.v1.statistics import routes
from api.v1.statistics.schemas import statistics

__all__ = ["routes", "statistics"]
