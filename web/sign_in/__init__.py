"""The pages before an account: sign up, sign in, sign out, and the links of emails."""

from flask import Blueprint

from web.sign_in import (
    accept_invitation,
    emailed_links,
    forgot_password,
    sign_in,
    sign_out,
    sign_up,
)


def add_pages(pages: Blueprint) -> None:
    """Add the pages."""
    for module in (
        sign_up,
        sign_in,
        sign_out,
        forgot_password,
        emailed_links,
        accept_invitation,
    ):
        module.add_pages(pages)
