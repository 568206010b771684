"""Fields of the forms of the console."""

from typing import Any

from wtforms import RadioField

from models import Role, Status, field_rules
from web.forms import text_field

ROLES = [role.value for role in Role]
STATUSES = [Status.ACTIVE.value, Status.SUSPENDED.value]


def username_field() -> Any:
    """Return a field for the username of another person."""
    return text_field(
        field_rules.USERNAME, autocomplete="off", autocapitalize="none", spellcheck="false"
    )


def email_field() -> Any:
    """Return a field for the address of another person."""
    return text_field(
        field_rules.EMAIL, autocomplete="off", inputmode="email", autocapitalize="none"
    )


def name_field() -> Any:
    """Return a field for the name of another person."""
    return text_field(field_rules.FULL_NAME, required=False, autocomplete="off")


def status_field() -> Any:
    """Return a field for the status of a new user."""
    return RadioField(choices=STATUSES, default=Status.ACTIVE.value)
