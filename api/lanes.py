"""Which operations hash a password: a server can give them threads of their own."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., Any])

_MARKED: set[Callable[..., Any]] = set()


def hashes_password(view: View) -> View:
    """Mark a view that hashes a password; it belongs above all other decorators."""
    _MARKED.add(view)
    return view


def hashing_routes(app: Flask) -> list[tuple[str, str]]:
    """Return the methods and the rules of all operations that hash a password."""
    return [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods or ())
        if _handler(app, rule.endpoint, method) in _MARKED
    ]


def _handler(app: Flask, endpoint: str, method: str) -> Any:
    view = app.view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    if view_class is not None:
        return getattr(view_class, method.lower(), None)
    # A page that is one function renders its form for GET, which hashes nothing.
    return view if method == "POST" else None
