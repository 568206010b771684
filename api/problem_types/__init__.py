"""Explanations of problem types."""

# Importing the routes adds them to the namespace.
from api.problem_types import routes
from api.problem_types.schemas import problem_types

__all__ = ["problem_types", "routes"]
