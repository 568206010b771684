"""Decorators that document a view; each guard and check documents itself with them.

What Swagger 2.0 cannot express is left as notes, which `api/openapi` turns into OpenAPI 3.1.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from api.problems import PROBLEMS

View = TypeVar("View", bound=Callable[..., Any])


def describe(view: View, **documentation: Any) -> View:
    """Merge documentation into a view's, as `Namespace.doc` does."""
    known: Mapping[str, Any] = getattr(view, "__apidoc__", {})
    view.__apidoc__ = _merge(known, documentation)  # type: ignore[attr-defined]
    return view


def _merge(known: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Merge documentation without copying its values, which do not change.

    RESTX's `merge` copies the models of a view again for each decorator: a tenth of a start.
    """
    merged = dict(known)
    for name, value in added.items():
        before: Any = merged.get(name)
        is_nested = type(before) is dict and isinstance(value, dict)
        merged[name] = _merge(before, value) if is_nested else value
    return merged


def error_responses(*slugs: str) -> Callable[[View], View]:
    """Document the problems that a view can respond with.

    Raises:
        KeyError: There is no problem with this slug.
    """
    noted = {PROBLEMS[slug].slug: True for slug in slugs}
    return lambda view: describe(view, vendor={"problems": noted})


def oauth_errors(*errors: str) -> Callable[[View], View]:
    """Document an endpoint of OAuth: how clients authenticate, and its own errors."""
    security: list[Any] = [{"clientBasic": []}, {"clientSecret": []}, {}]
    noted = dict.fromkeys(errors, True)
    return lambda view: describe(view, security=security, vendor={"oauth-errors": noted})


def headers(*names: str) -> Callable[[View], View]:
    """Document the headers of `HEADERS` that a successful response has."""
    return lambda view: describe(view, vendor={"headers": dict.fromkeys(names, True)})


def not_modified(view: View) -> View:
    """Document that a view responds 304 to a client with a current copy."""
    condition = {
        "If-None-Match": {
            "in": "header",
            "description": "Respond 304 if the client's copy has this `ETag`.",
        }
    }
    return describe(view, params=condition, responses={"304": "The client's copy is current"})


def links(status: int, to: Mapping[str, Mapping[str, str]]) -> Callable[[View], View]:
    """Document which operations can follow a response.

    Args:
        status: The status of the response.
        to: Operations by their IDs, and where in the response each finds its parameters.
    """
    linked = {
        operation: {"operationId": operation, "parameters": dict(parameters)}
        for operation, parameters in to.items()
    }
    patch = {"responses": {str(status): {"links": linked}}}
    return lambda view: describe(view, vendor={"openapi": patch})
