"""Adds to what RESTX documents about a view; each guard and check describes itself with it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask_restx.utils import merge

from api.errors import PROBLEMS, problem_schema

View = TypeVar("View", bound=Callable[..., Any])


def describe(view: View, **documentation: Any) -> View:
    """Merge documentation into a view's, as `Namespace.doc` does."""
    known: Mapping[str, Any] = getattr(view, "__apidoc__", {})
    view.__apidoc__ = merge(known, documentation)  # type: ignore[attr-defined]
    return view


def problems(*slugs: str) -> Callable[[View], View]:
    """Document the problems that a view can answer with."""

    def decorate(view: View) -> View:
        listed = (*getattr(view, "__problems__", ()), *slugs)
        view.__problems__ = listed  # type: ignore[attr-defined]
        responses: dict[str, Any] = {}
        for slug in slugs:
            status = PROBLEMS[slug].status
            titles = [
                f"`{name}`: {PROBLEMS[name].title}"
                for name in dict.fromkeys(listed)
                if PROBLEMS[name].status == status
            ]
            responses[str(status)] = ("; ".join(titles), problem_schema, {})
        return describe(view, responses=responses)

    return decorate
