"""What all forms share: rules of the domain as validators, and errors of the domain on fields."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from api import security_log
from api.errors import RETRY_AFTER_SECONDS, places_in, problem_of
from api.services import accounts
from models import field_rules
from models.errors import (
    AccountError,
    RecentAuthenticationRequired,
    Refused,
    TooManyRequests,
    Unauthenticated,
)
from models.field_rules import FieldRule
from web.languages import NAMES, best_language, mark, translate
from web.texts import TextAt, Verbatim

MISSING = "Fill in this field."
_NOT_OFFERED = mark("Choose one of the languages.")
# A page with a rejected form has no challenge for a client to answer: 401 would need one.
_STATUSES = {401: 422}


class Form(FlaskForm):
    """A form of a page. The views have its token checked before it is built."""

    def __init__(self, **kwargs: Any) -> None:
        # Fields are text only: neither files nor JSON.
        kwargs.setdefault("formdata", request.form if request.method == "POST" else None)
        super().__init__(**kwargs)
        if (
            isinstance(self._fields.get("username"), UsernameField)
            and not accounts.usernames.are_on
        ):
            del self["username"]
        self.problem = "invalid-request"
        self.status_code = 422
        self.response_headers: dict[str, str] = {}

    def reject(self, error: AccountError) -> None:
        """Show an error of the domain at the fields that it is about, else above the form."""
        problem = problem_of(error)
        security_log.rejected(problem, error)
        self.problem = problem.slug
        self.status_code = _STATUSES.get(problem.status, problem.status)
        if isinstance(error, TooManyRequests):
            self.response_headers["Retry-After"] = str(error.retry_after)
        elif problem.status == 503:
            self.response_headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        faults = places_in(error)
        for name, place, text in faults:
            # The operator chooses the language of its own sentences.
            own = Verbatim(text) if isinstance(error, Refused) else text
            self.add_error(name, TextAt(place, text) if place else own)
        if not faults:
            self.form_errors.append(str(error))

    def add_error(self, name: str, text: str | TextAt) -> None:
        """Show a sentence at a field, or above the form if it has no such field."""
        field = self._fields.get(name)
        if field is None or field.type == "HiddenField":
            self.form_errors.append(text)
        elif text not in field.errors:
            field.errors = [*field.errors, text]

    def texts_of(self, names: Iterable[str]) -> dict[str, str]:
        """Return the values of the fields that are filled in and not rejected, by name."""
        fields = {name: self[name] for name in names if name in self}
        return {
            name: field.data for name, field in fields.items() if field.data and not field.errors
        }

    @property
    def username_or_none(self) -> str | None:
        """The username, None if it is not filled in, or if usernames are off."""
        return self.texts_of(["username"]).get("username")

    @property
    def first_faulty(self) -> str | None:
        """The ID of the first field that was rejected."""
        return next((field.id for field in self if field.errors), None)


@contextmanager
def errors_in(form: Form) -> Iterator[None]:
    """Show the errors of the domain in a form, except those that ask the user to sign in."""
    try:
        yield
    except (Unauthenticated, RecentAuthenticationRequired):
        raise
    except AccountError as error:
        form.reject(error)


def obeys(rule: FieldRule) -> Callable[[Form, Field], None]:
    """Return a validator for a rule of the domain."""

    def validate(form: Form, field: Field) -> None:
        text = field.data or ""
        if len(text) > rule.max_length:
            raise ValidationError(f"Use at most {rule.max_length} characters.")
        if not rule.matches(text):
            raise ValidationError(rule.requirement)

    return validate


def stripped(text: str | None) -> str | None:
    """Return a text without the blanks around it, which the API ignores in logins, too."""
    return text.strip() if text else text


def text_field(rule: FieldRule, *, required: bool = True, **attributes: str) -> Any:
    """Return a field for one line of text.

    Args:
        rule: The rule of the field.
        required: Whether it has to be filled in.
        attributes: The attributes of its element, as `autocomplete`.
    """
    checks = [InputRequired(MISSING) if required else Optional(), obeys(rule)]
    return StringField(filters=[stripped], validators=checks, render_kw=_named(attributes))


def password_field(autocomplete: str, *, required: bool = True) -> Any:
    """Return a field for a password, which is taken as typed and never written into a page.

    It has no maximum length in the browser, which would truncate it (ASVS 6.2.8).
    """
    checks: list[Any] = [InputRequired(MISSING)] if required else []
    attributes = {"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"}
    rule = field_rules.PASSWORD
    return PasswordField(validators=[*checks, obeys(rule)], render_kw=attributes)


def code_field(*, required: bool = True) -> Any:
    """Return a field for the code of a second factor, which browsers and phones can fill in."""
    checks: list[Any] = [InputRequired(MISSING)] if required else []
    attributes = _named(
        {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
    )
    rule = field_rules.OTP
    return StringField(filters=[stripped], validators=[*checks, obeys(rule)], render_kw=attributes)


class UsernameField(StringField):
    """A username, required or optional by the settings. Where usernames are off, no form has it.

    Args:
        autocomplete: What browsers fill in.
        may_stay_absent: Whether the stored value may be absent even where it is required.
    """

    def __init__(self, autocomplete: str, *, may_stay_absent: bool = False, **kwargs: Any) -> None:
        self._may_stay_absent = may_stay_absent
        attributes = {
            "autocomplete": autocomplete,
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        super().__init__(filters=[stripped], render_kw=attributes, **kwargs)

    def process_data(self, value: str | None) -> None:
        """Take the stored username, None for a user without one."""
        super().process_data(value)
        may_be_absent = self._may_stay_absent and value is None
        self.flags.required = accounts.usernames.are_required and not may_be_absent

    def pre_validate(self, form: Any) -> None:
        """Apply the rule of the domain to a username that is filled in."""
        if self.data:
            obeys(field_rules.USERNAME)(form, self)
        elif self.flags.required:
            raise StopValidation(MISSING)


class Checkboxes(SelectMultipleField):
    """Several choices, each with a checkbox."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class LanguageField(SelectField):
    """The language of a user: one of ours, that of the browser, or the stored one of another kind.

    A form without the field leaves the stored one as it is.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=self._offered, invalid_choice_message=_NOT_OFFERED, **kwargs)

    def process_data(self, value: str | None) -> None:
        """Take the stored tag; a user without one has the first choice."""
        super().process_data(value or "")

    def _offered(self) -> list[SelectChoice]:
        offered = [SelectChoice(value="", label=translate("The language of the browser"))]
        for tag, name in NAMES.items():
            offered.append(SelectChoice(tag, name, render_kw={"lang": tag}))
        stored = self.object_data
        if stored and stored not in NAMES:
            language = best_language(stored)
            label = f"{NAMES[language]} ({stored})" if language else stored
            offered.append(SelectChoice(stored, label))
        return offered


def attributes_of(field: Field, *, has_hint: bool, has_focus: bool) -> dict[str, Any]:
    """Return the attributes that tie a field to its hint and its errors.

    Args:
        field: The field.
        has_hint: Whether a hint with its ID follows it.
        has_focus: Whether it gets the focus when the page opens.
    """
    described = [f"{field.id}-hint"] * has_hint + [f"{field.id}-error"] * bool(field.errors)
    found: dict[str, Any] = {}
    if described:
        found["aria-describedby"] = " ".join(described)
    if field.errors:
        found["aria-invalid"] = "true"
    if has_focus:
        found["autofocus"] = True
    return found


def _named(attributes: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in attributes.items()}
