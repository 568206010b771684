"""The pages of an account, for its user."""

from flask import Blueprint, Response

from web.account import (
    activity,
    api_keys,
    data,
    email,
    password,
    profile,
    second_factor,
    sessions,
)
from web.html import go_to_page


def add_pages(pages: Blueprint) -> None:
    """Add the pages. Each has one URL, and its forms say what to do with `do`."""
    for path, name, view in (
        ("/account", "profile", profile.show),
        ("/account/email", "email", email.show),
        ("/account/password", "password", password.show),
        ("/account/second-factor", "second_factor", second_factor.show),
        ("/account/sessions", "sessions", sessions.show),
        ("/account/api-keys", "api_keys", api_keys.show),
        ("/account/activity", "activity", activity.show),
        ("/account/data", "data", data.show),
    ):
        pages.add_url_rule(path, name, view, methods=["GET", "POST"])
    pages.add_url_rule("/.well-known/change-password", "change_password", _change_password)


def _change_password() -> Response:
    """Redirect password managers to the page that changes the password (W3C, change-password)."""
    return go_to_page("web.password")
