"""Sign out."""

from flask import Blueprint, Response
from flask.views import MethodView

from web import browser_session
from web.browser_session import find_caller
from web.forms import Form
from web.html import form_page, go_to_page

# Not "cookies", which would clear those of the whole domain: ours are deleted one by one.
_CLEARED = '"cache", "storage"'


def add_pages(pages: Blueprint) -> None:
    """Add the page."""
    pages.add_url_rule("/sign-out", view_func=SignOutPage.as_view("sign_out"))


class SignOutPage(MethodView):
    """The button that signs out, for links from applications: a link alone must not do it."""

    def get(self) -> Response:
        """Show the button."""
        if find_caller() is None:
            return go_to_page("web.sign_in")
        return form_page("sign_in/sign_out.html", Form())

    def post(self) -> Response:
        """End the session, here and in the browser."""
        browser_session.end_previous()
        browser_session.forget()
        response = go_to_page("web.sign_in", "signed-out")
        response.headers["Clear-Site-Data"] = _CLEARED
        return response
