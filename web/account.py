"""The pages behind the links of emails.

The token is in the fragment of the URL, which the server never sees. A script sends it in a request
body, and only when the user presses the button: email scanners follow links.
"""

from flask import Blueprint, Response

from web.html import page


def add_pages(pages: Blueprint) -> None:
    """Add the pages behind the links of emails."""
    pages.add_url_rule("/verify-email", view_func=verify_email)
    pages.add_url_rule("/reset-password", view_func=reset_password)


def verify_email() -> Response:
    """Render the page that verifies an email address."""
    return page("account/verify-email.html")


def reset_password() -> Response:
    """Render the page that sets a new password."""
    return page("account/reset-password.html")
