"""Invite people: several addresses at once, one in each line."""

from typing import Any

from flask import Response, request
from wtforms import TextAreaField
from wtforms.validators import InputRequired

from api.principal import Principal
from api.rate_limits import INVITATIONS, limit_user
from api.services import accounts, invitations, rules
from models import Right, Role, strongest_role
from models.errors import AlreadyInvited, EmailTaken, TooManyRequests
from web.admin.forms import parse_object
from web.forms import MISSING, Checkboxes, Form, LanguageField, errors_in
from web.guards import page_for_users
from web.html import form_page, page

# So many that the page is there within seconds.
MAX_ADDRESSES = 100


class InviteForm(Form):
    """The addresses, and what all of them get."""

    emails = TextAreaField(
        validators=[InputRequired(MISSING)],
        render_kw={
            "rows": "6",
            "autocomplete": "off",
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    roles = Checkboxes(default=[Role.USER.value])
    locale = LanguageField()
    app_metadata = TextAreaField(render_kw={"rows": "4", "spellcheck": "false"})

    @property
    def addresses(self) -> list[str]:
        """The lines that are not empty."""
        return [line.strip() for line in (self.emails.data or "").splitlines() if line.strip()]

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all fields obey the rules; report all that do not together."""
        is_sound = bool(super().validate(extra_validators))
        if len(self.addresses) > MAX_ADDRESSES:
            self.add_error("emails", f"Enter at most {MAX_ADDRESSES} addresses.")
            return False
        wrong = [
            str(number)
            for number, address in enumerate(self.addresses, 1)
            if accounts.faults_of({"email": address}, any_domain=True)
        ]
        if wrong:
            self.add_error("emails", f"These are no email addresses: number {', '.join(wrong)}.")
        return is_sound and not wrong


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal) -> Response:
    """Show the form, or invite the addresses and show what became of each.

    There is no page to redirect to. If a browser sends the form again, all of them are invited
    already, and get no further email.
    """
    form = InviteForm()
    form.roles.choices = rules.roles.names
    if request.method == "POST" and form.validate():
        if strongest_role(form.roles.data):
            caller.require_account_control()
        with errors_in(form):
            fields = {
                "roles": form.roles.data,
                "locale": form.locale.data or None,
                "app_metadata": parse_object("app_metadata", form.app_metadata.data),
            }
            outcomes = [(each, _invite(caller, each, fields)) for each in form.addresses]
            return page("admin/invited.html", caller=caller, outcomes=outcomes)
    return form_page("admin/invite.html", form, sends_emails=rules.verifies_addresses)


def _invite(caller: Principal, email: str, fields: dict[str, Any]) -> str:
    """Invite an address; return the outcome in one word."""
    try:
        limit_user(INVITATIONS, caller.id)
        invitations.create(email, **fields, by=caller.actor)
    except AlreadyInvited:
        return "already-invited"
    except EmailTaken:
        return "user"
    except TooManyRequests:
        return "later"
    return "invited"
