"""Where the links of mails lead.

The token is behind the # of the address: the server that sends these pages never sees it. A script
takes it from there and sends it in a body, and only when somebody presses the button: programs
that look into mails follow links.
"""

from flask import Blueprint, Response

from web.html import page


def add_pages(pages: Blueprint) -> None:
    """Add the pages behind the links of emails."""
    pages.add_url_rule("/verify-email", view_func=verify_email)
    pages.add_url_rule("/reset-password", view_func=reset_password)


def verify_email() -> Response:
    """Confirms an address."""
    return page("account/verify-email.html")


def reset_password() -> Response:
    """Takes a new password."""
    return page("account/reset-password.html")
