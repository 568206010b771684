"""Fields of the forms of the console."""

import secrets
from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import BadRequest
from wtforms import HiddenField, RadioField

from api.errors import RequestError
from api.json_body import read_object
from api.principal import Principal
from models import ClientScope, IdempotentRequest, Status, field_rules
from models.errors import InvalidField
from web.forms import Checkboxes, Form, text_field

STATUSES = [Status.ACTIVE.value, Status.SUSPENDED.value]


def email_field() -> Any:
    """Return a field for the address of another person."""
    return text_field(
        field_rules.EMAIL, autocomplete="off", inputmode="email", autocapitalize="none"
    )


def name_field() -> Any:
    """Return a field for the name of another person."""
    return text_field(field_rules.FULL_NAME, required=False, autocomplete="off")


def external_id_field() -> Any:
    """Return a field for the ID of another person in another system."""
    return text_field(
        field_rules.EXTERNAL_ID,
        required=False,
        autocomplete="off",
        autocapitalize="none",
        spellcheck="false",
    )


def status_field() -> Any:
    """Return a field for the status of a new user."""
    return RadioField(choices=STATUSES, default=Status.ACTIVE.value)


def client_name_field() -> Any:
    """Return a field for the name of a client."""
    return text_field(field_rules.CLIENT_NAME, autocomplete="off")


def scopes_field() -> Any:
    """Return a field for the scopes of a client."""
    return Checkboxes(choices=[scope.value for scope in ClientScope])


def audience_field() -> Any:
    """Return a field for the audience of a client."""
    return text_field(
        field_rules.AUDIENCE,
        required=False,
        autocomplete="off",
        autocapitalize="none",
        inputmode="url",
        spellcheck="false",
    )


def parse_object(field: str, text: str | None) -> dict[str, Any]:
    """Return the JSON object that was typed into a field, an empty one for none.

    Raises:
        InvalidField: It is no JSON object.
    """
    try:
        return read_object((text or "{}").encode())
    except RequestError as error:
        reason = error.detail.removeprefix("The body is not JSON: ").removeprefix("The body ")
        texts = [fault for _, fault in error.errors] or [reason]
        raise InvalidField(field, f"It is no JSON object: {texts[0]}") from None


class OnceForm(Form):
    """A form that is carried out once, although a browser may send it twice.

    The page that is shown for the second one is that of the first, with the same secret.
    """

    request_id = HiddenField(default=secrets.token_urlsafe)

    def request_by(
        self, caller: Principal, operation: str, body: Mapping[str, Any], *, target: str = ""
    ) -> IdempotentRequest:
        """Return the request that this form is.

        Args:
            caller: The user.
            operation: What the form does.
            body: The values of its fields.
            target: The ID of what it changes.

        Raises:
            BadRequest: The ID is not one of our pages.
        """
        key = self.request_id.data or ""
        if not field_rules.IDEMPOTENCY_KEY.matches(key):
            raise BadRequest
        # Requests of the API cannot have the same name.
        return IdempotentRequest(
            key=key,
            operation=f"page {operation}",
            caller_id=caller.user.id,
            target=target,
            body=body,
        )
