"""Adds to what RESTX documents about a view; each guard and check describes itself with it.

What Swagger 2.0 cannot say is left as notes, which `api/openapi` turns into OpenAPI 3.1.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask_restx.utils import merge

from api.problems import PROBLEMS

View = TypeVar("View", bound=Callable[..., Any])


def describe(view: View, **documentation: Any) -> View:
    """Merge documentation into a view's, as `Namespace.doc` does."""
    known: Mapping[str, Any] = getattr(view, "__apidoc__", {})
    view.__apidoc__ = merge(known, documentation)  # type: ignore[attr-defined]
    return view


def problems(*slugs: str) -> Callable[[View], View]:
    """Document the problems that a view can answer with.

    Raises:
        KeyError: There is no such problem.
    """
    noted = {PROBLEMS[slug].slug: True for slug in slugs}
    return lambda view: describe(view, vendor={"problems": noted})


def headers(*names: str) -> Callable[[View], View]:
    """Document the headers of `HEADERS` that a view's success carries."""
    return lambda view: describe(view, vendor={"headers": dict.fromkeys(names, True)})


def not_modified(view: View) -> View:
    """Document that a view answers 304 to a client that has what it would get."""
    condition = {
        "If-None-Match": {
            "in": "header",
            "description": "Answer 304 if the client's copy has this `ETag`.",
        }
    }
    return describe(view, params=condition, responses={"304": "The client's copy is current"})


def links(status: int, to: Mapping[str, Mapping[str, str]]) -> Callable[[View], View]:
    """Document what can be done with an answer.

    Args:
        status: The answer's status.
        to: Operations by their ids, and where in the answer each finds its parameters.
    """
    linked = {
        operation: {"operationId": operation, "parameters": dict(parameters)}
        for operation, parameters in to.items()
    }
    patch = {"responses": {str(status): {"links": linked}}}
    return lambda view: describe(view, vendor={"openapi": patch})
