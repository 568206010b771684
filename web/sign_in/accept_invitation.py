"""The page behind the link of an invitation: create the account, and sign in.

The token is in the fragment of the URL; see `web.sign_in.emailed_links`.
"""

import secrets
from typing import Any

from flask import Blueprint, Response
from flask.views import MethodView
from werkzeug.exceptions import BadRequest
from wtforms import HiddenField

from api.client import client
from api.lanes import hashes_password
from api.principal import anonymous_actor
from api.rate_limits import EMAILED_TOKENS, limit_client
from api.services import accounts, invitations, sessions
from models import AuthMethod, IdempotentRequest, field_rules
from models.errors import HookFailed, Refused
from web.forms import Form, UsernameField, errors_in, password_field, text_field
from web.html import form_page, go_to_page
from web.languages import page_language
from web.sign_in.sign_in import welcome


class AcceptInvitationForm(Form):
    """A token, and what the new user chooses. It is carried out once, however often it is sent."""

    token = text_field(
        field_rules.EMAILED_TOKEN, autocomplete="off", autocapitalize="none", spellcheck="false"
    )
    username = UsernameField("username")
    full_name = text_field(field_rules.FULL_NAME, required=False, autocomplete="name")
    password = password_field("new-password")
    request_id = HiddenField(default=secrets.token_urlsafe)

    def values(self) -> dict[str, Any]:
        """Return the arguments of the acceptance."""
        return {
            "token": self.token.data,
            "username": self.username_or_none,
            "full_name": self.full_name.data or None,
            "password": self.password.data,
        }

    def request(self) -> IdempotentRequest:
        """Return the request that this form is.

        Raises:
            BadRequest: The ID is not one of our pages.
        """
        key = self.request_id.data or ""
        if not field_rules.IDEMPOTENCY_KEY.matches(key):
            raise BadRequest
        # Requests of the API cannot have the same name.
        operation = "page accept invitation"
        return IdempotentRequest(key, operation, caller_id=None, body=self.values())


def add_pages(pages: Blueprint) -> None:
    """Add the page."""
    view = AcceptInvitationPage.as_view("accept_invitation")
    pages.add_url_rule("/accept-invitation", view_func=view)


class AcceptInvitationPage(MethodView):
    """The form for a new account. It says nothing about the invitation, whose token is not sent."""

    def get(self) -> Response:
        """Show the form, also to a signed-in user: the link may be for another account."""
        return _show(AcceptInvitationForm())

    @hashes_password
    def post(self) -> Response:
        """Create the account and sign in: the address is verified by the token."""
        form = AcceptInvitationForm()
        if form.validate():
            with errors_in(form):
                limit_client(EMAILED_TOKENS)
                repeatable = form.request()
                user = invitations.accept(
                    **form.values(),
                    locale=page_language(),
                    by=anonymous_actor(),
                    request=repeatable,
                )
                if repeatable.is_replayed:
                    # Only the first time proves the mailbox: signing in may need more by now.
                    return go_to_page("web.sign_in", "signed-up")
                try:
                    opened = sessions.create_session(user, client(), method=AuthMethod.PASSWORD)
                except (Refused, HookFailed):
                    # The account exists all the same.
                    return go_to_page("web.sign_in", "signed-up")
                return welcome(opened, None, "signed-up")
        return _show(form)


def _show(form: AcceptInvitationForm) -> Response:
    return form_page("sign_in/accept_invitation.html", form, min_length=accounts.policy.min_length)
