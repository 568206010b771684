"""Texts of the domain on pages: errors and values, in the words of people and in their language.

The domain writes its errors for callers of the API. Here is each that a page can show, with what
the page says instead where the two differ. Placeholders stand for what the domain fills in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from models.errors import (
    Busy,
    EmailNotVerified,
    HookFailed,
    IdempotencyKeyReused,
    IdempotencyKeyUsed,
    InvalidInvitation,
    InvalidToken,
    SecondFactorCodeRequired,
    SecondFactorEnrollmentRequired,
    SecondFactorNotUsed,
    TooManyConflicts,
    VersionMismatch,
)
from web.languages import SOURCE, mark, page_language, translate

# What a page says instead of an error of the domain, by the text of the error.
_INSTEAD: Mapping[str, str] = {
    str(SecondFactorCodeRequired()): mark("Enter the code of your second factor."),
    "The code is wrong, or was used before. Send the next one as `otp`.": mark(
        "The code is wrong, or was used before. Enter the next one."
    ),
    str(EmailNotVerified()): mark("Verify your email address first."),
    str(SecondFactorEnrollmentRequired()): mark(
        "Admins, support and auditors need a second factor here. Set one up in your account."
    ),
    str(SecondFactorNotUsed()): mark("Sign in again with a code of your second factor."),
    str(InvalidToken()): mark("This link is not valid or no longer valid. Request a new one."),
    str(InvalidInvitation()): mark(
        "This invitation is not valid or no longer valid. Ask the person who invited you for a new"
        " one."
    ),
    str(VersionMismatch()): mark(
        "The user has changed since you opened this page. Open it again and repeat the change."
    ),
    str(VersionMismatch("client")): mark(
        "The client has changed since you opened this page. Open it again and repeat the change."
    ),
    str(IdempotencyKeyUsed()): mark(
        "This form was sent before, and what it created has changed since. Open the page again."
    ),
    str(IdempotencyKeyReused()): mark(
        "This form was sent before with other values. Open the page again to create another one."
    ),
    "Give an email address, a username, or both.": mark("Choose what moves."),
    "It must be another user.": mark("This is the same user."),
    "It must be true: the user in `from` cannot exist without its email address.": mark(
        "Every user has an email address: confirm the deletion, too."
    ),
    "It must be true: the user in `from` cannot exist without its username.": mark(
        "Every user has a username here: confirm the deletion, too."
    ),
    "This is not the email address of the user in `from`.": mark(
        "The email address of the other user has changed since you opened this page. Open it again."
    ),
    "This is not the username of the user in `from`.": mark(
        "The username of the other user has changed since you opened this page. Open it again."
    ),
    str(TooManyConflicts()): mark("The account is being changed elsewhere. Try again."),
    str(HookFailed()): mark(
        "The service cannot check this at the moment. Nothing was changed. Try again in a moment."
    ),
    str(Busy()): mark("The service is busy. Try again in a moment."),
    "It is not valid under any of the schemas listed in the 'anyOf' keyword.": mark(
        "It has none of the allowed forms."
    ),
    "It is not valid under any of the schemas listed in the 'oneOf' keyword.": mark(
        "It has none of the allowed forms."
    ),
    "It is valid under more than one of the schemas listed in the 'oneOf' keyword.": mark(
        "It has more than one of the allowed forms."
    ),
    "None of It are valid under the given schema.": mark("None of its items has the right form."),
    "False schema does not allow It.": mark("It is unknown here."),
    "A body has 64 KB (65,536 bytes) at most.": mark("What you have sent is too large."),
    "The request is malformed below the level of its body.": mark(
        "The service did not understand what your browser has sent."
    ),
    "The cursor is too long.": mark("This link is not valid. Begin with the first page."),
    "The cursor was not made for this list.": mark(
        "This link is not valid. Begin with the first page."
    ),
    "The database is unavailable. Retry shortly.": mark(
        "The service is temporarily unavailable. Try again in a moment."
    ),
}
# What a page says as the domain does.
_SAME = (
    mark("The login or the password is wrong."),
    mark("The current password is wrong."),
    mark("This is not the password of the account."),
    mark("Only an admin may do this."),
    mark("Only an admin or support may do this."),
    mark("Only an admin, support or an auditor may do this."),
    mark("Only an admin may change the account of an admin."),
    mark("This service sends no email. Contact its operator."),
    mark("There is no user with this ID."),
    mark("You have no session with this ID."),
    mark("There is no API key with this ID."),
    mark("There is no client with this ID."),
    mark("The client has no secret with this ID."),
    mark("The client has two secrets, the maximum. Revoke one first."),
    mark("Another client has this audience. Choose another URI."),
    mark(
        "It must be an absolute URI without a fragment, such as https://api.example.com, of at most"
        " 200 characters."
    ),
    mark("There is no invitation with this ID."),
    mark("This email address has an invitation. Resend it, or revoke it first."),
    mark(
        "The service no longer accepts what this invitation gives, such as a role that was"
        " removed. A new invitation is needed."
    ),
    mark("There is no second factor. Set one up first."),
    mark("There is already a second factor. Turn it off first."),
    mark("The username is already in use. Choose another one."),
    mark("Another user has this external ID."),
    mark("It must be 1 to 128 printable characters and neither start nor end with a space."),
    mark("There is already an account with this email address."),
    mark("This is the last active admin. Appoint another one first."),
    mark("There is nothing at this URL."),
    mark("This username is reserved. Choose another one."),
    mark("This is not the code that the authenticator shows now."),
    mark("Fill in this field."),
    mark("Choose one of the languages."),
    mark("Emails are not configured: enter a password."),
    mark("This is not your username."),
    mark("This is not your email address."),
    mark("Enter the password of the account."),
    mark("Enter the next code, and the new password again."),
    mark("It must be an email address."),
    mark("It must not contain a NUL character."),
    mark("It must not contain control characters."),
    mark("It must be letters, digits, underscores and hyphens."),
    mark(
        "A username has 3 to 32 letters (a-z), digits, dots, underscores or hyphens"
        " and starts with a letter or digit."
    ),
    mark("A name has 1 to 100 printable characters and does not start with a space."),
    mark("The address has a character that only looks like a letter."),
    mark("This is one of the most common passwords. Choose another one."),
    mark(
        "This password is on a list of passwords from data breaches, which attackers try first."
        " Choose another one."
    ),
    mark(
        "The password repeats a few characters, and too little remains without the"
        " repetitions. Choose a less regular one."
    ),
    mark(
        "The password is for the most part a sequence of adjacent keys or letters, and too"
        " little remains without it. Choose another one."
    ),
    mark(
        "The password consists of common words, names, dates or patterns that attackers combine"
        " early. Choose another one; several unrelated words are fine."
    ),
    mark(
        "Without your username, name and email address, too little of the password remains."
        " Choose another one."
    ),
    mark("Email addresses of this domain cannot be used to sign up here. Use another one."),
    # Of the operator's schema.
    mark("It is missing."),
    mark("It is unknown here."),
    mark("It is shorter than 1 character."),
    mark("It is longer than 1 character."),
    mark("It has less than 1 item."),
    mark("It has more than 1 item."),
    mark("It has less than 1 property."),
    mark("It has more than 1 property."),
    mark("It has non-unique elements."),
    mark("An email address must have an @-sign."),
    mark("There must be something before the @-sign."),
    mark("The part after the @-sign is not valid. It should have a period."),
    mark("An email address cannot have two periods in a row."),
)
# Those with values.
_PATTERNS = (
    mark("Too many requests of this kind. Try again in %(seconds)s seconds."),
    mark("Too many attempts to sign in. Try again in %(seconds)s seconds."),
    mark("Use at most %(count)s characters."),
    mark("Enter a number from 1 to %(count)s."),
    mark("An email address has at most %(count)s characters."),
    mark("A password has at least %(count)s characters; a sentence is fine."),
    mark("A password has at most %(count)s characters."),
    mark(
        "Without the easily guessed word %(words)s, too little of the password remains."
        " Choose another one."
    ),
    mark(
        "Without the easily guessed words %(words)s, too little of the password remains."
        " Choose another one."
    ),
    mark(
        "Without your username, name and email address and without the easily guessed word"
        " %(words)s, too little of the password remains. Choose another one."
    ),
    mark(
        "Without your username, name and email address and without the easily guessed words"
        " %(words)s, too little of the password remains. Choose another one."
    ),
    mark("You have %(count)s API keys, the maximum. Revoke one first."),
    mark("A key can only have roles of its owner, who lacks: %(roles)s."),
    mark("There is no such role. The roles are %(roles)s."),
    mark("A user has at most %(count)s roles."),
    mark("The metadata has %(size)s bytes; the maximum is %(count)s."),
    mark("The app_metadata has %(size)s bytes; the maximum is %(count)s."),
    mark("It is no JSON object: %(reason)s"),
    mark("Enter at most %(count)s addresses."),
    mark("These are no email addresses: number %(numbers)s."),
    # Of the operator's schema.
    mark('It is not of type "%(type)s".'),
    mark("It is not of types %(types)s."),
    mark("It is not one of %(values)s."),
    mark("It is shorter than %(count)s characters."),
    mark("It is longer than %(count)s characters."),
    mark("It is less than the minimum of %(value)s."),
    mark("It is greater than the maximum of %(value)s."),
    mark("It is less than or equal to the minimum of %(value)s."),
    mark("It is greater than or equal to the maximum of %(value)s."),
    mark("It is not a multiple of %(value)s."),
    mark("It has less than %(count)s items."),
    mark("It has more than %(count)s items."),
    mark("It has less than %(count)s properties."),
    mark("It has more than %(count)s properties."),
    mark('It is not a "%(format)s".'),
    mark('It does not match "%(pattern)s".'),
    mark("%(value)s was expected."),
)
# The checker of addresses has many more reasons, in English.
_OF_AN_ADDRESS = re.compile(r".*(email address|@-sign).*", re.DOTALL)
_INVALID_ADDRESS = mark("This is not a valid email address.")

EVENTS: Mapping[str, str] = {
    "user.registered": mark("Account created"),
    "user.imported": mark("Account imported"),
    "user.updated": mark("Account changed"),
    "user.suspended": mark("Account suspended"),
    "user.reactivated": mark("Account reactivated"),
    "user.unlocked": mark("Lockout ended by an admin"),
    "user.deleted": mark("Account deleted"),
    "email-verification.requested": mark("Verification email requested"),
    "email.verified": mark("Email address verified"),
    "email.changed": mark("Email address changed"),
    "password.changed": mark("Password changed"),
    "password-reset.requested": mark("Password reset requested"),
    "password.reset": mark("Password reset"),
    "second-factor.enrolled": mark("Second factor begun"),
    "second-factor.enabled": mark("Second factor enabled"),
    "second-factor.disabled": mark("Second factor turned off"),
    "recovery-codes.renewed": mark("New recovery codes"),
    "api-key.created": mark("API key created"),
    "api-key.revoked": mark("API key revoked"),
    "api-keys.revoked": mark("All API keys revoked"),
    "client.created": mark("Client created"),
    "client.updated": mark("Client changed"),
    "client.disabled": mark("Client disabled"),
    "client.enabled": mark("Client enabled"),
    "client.deleted": mark("Client deleted"),
    "client-secret.created": mark("Client secret created"),
    "client-secret.revoked": mark("Client secret revoked"),
    "invitation.created": mark("Invitation sent"),
    "invitation.resent": mark("Invitation sent again"),
    "invitation.revoked": mark("Invitation revoked"),
    "invitation.accepted": mark("Invitation accepted"),
    "sign-in.failed": mark("Sign-in failed"),
    "sign-in.rejected": mark("Sign-in rejected during a lockout"),
    "account.locked": mark("Locked after failed sign-ins"),
    "account.unlocked": mark("Lockout ended"),
    "session.opened": mark("Signed in"),
    "session.renewed": mark("Password confirmed"),
    "session.ended": mark("Session ended"),
    "sessions.ended": mark("All sessions ended"),
    "access.denied": mark("Access denied"),
    "quota.exceeded": mark("Too many requests"),
}
# With the name of the scope, which the documentation uses.
_CLIENT_SCOPES: Mapping[str, str] = {
    "introspect": mark("introspect: ask whether a token is active, and whose it is"),
    "email": mark("email: get the email address of that user, too"),
    "tokens": mark("tokens: get access tokens, for itself and for users whose token it has"),
    "users:read": mark("users:read: read all users"),
    "users:write": mark("users:write: register users, and change names and metadata of users"),
    "events:read": mark("events:read: read audit events"),
}
_VALUES: Mapping[str, str] = {
    **EVENTS,
    "active": mark("active"),
    "suspended": mark("suspended"),
    "user": mark("user"),
    "admin": mark("admin"),
    "auditor": mark("auditor"),
    "support": mark("support"),
    "accounts": mark("change accounts"),
    "username": mark("username"),
    "email": mark("email address"),
    "full_name": mark("name"),
    "locale": mark("language"),
    "roles": mark("roles"),
    "status": mark("status"),
    "metadata": mark("metadata"),
    "app_metadata": mark("app metadata"),
    "external_id": mark("external ID"),
    "email_verified": mark("verified email address"),
    "name": mark("name"),
    "scopes": mark("scopes"),
    "audience": mark("audience"),
    "disabled": mark("disabled"),
    "pending_email": mark("requested email address"),
}


class Verbatim(str):
    """A sentence that pages show as it is, such as one of the operator."""


@dataclass(frozen=True)
class TextAt:
    """An error of a part of a value, such as one field of the metadata.

    Attributes:
        place: A JSON pointer to the part.
        text: The error.
    """

    place: str
    text: str


def error_text(text: str | TextAt) -> str:
    """Return an error in the words of pages and in the language of the current page."""
    if isinstance(text, TextAt):
        return f"{text.place}: {error_text(text.text)}"
    if isinstance(text, Verbatim):
        return text
    if text in _SAME:
        return translate(text)
    if text in _INSTEAD:
        return translate(_INSTEAD[text])
    for pattern, wording in _expressions():
        if found := pattern.fullmatch(text):
            return translate(wording, **found.groupdict())
    if page_language() != SOURCE and _OF_AN_ADDRESS.fullmatch(text):
        return translate(_INVALID_ADDRESS)
    return text


def value_text(value: str) -> str:
    """Return the name of a status, a role, a scope, a field or a type of event for people."""
    return translate(_VALUES[value]) if value in _VALUES else value


def client_scope_text(scope: str) -> str:
    """Return the name of a client's scope and what it allows."""
    return translate(_CLIENT_SCOPES[scope]) if scope in _CLIENT_SCOPES else scope


@cache
def _expressions() -> list[tuple["re.Pattern[str]", str]]:
    return [(_expression(wording), wording) for wording in _PATTERNS]


def _expression(wording: str) -> "re.Pattern[str]":
    parts = re.split(r"%\((\w+)\)s", wording)
    texts = [
        f"(?P<{part}>.+?)" if is_name else re.escape(part)
        for is_name, part in zip([False, True] * len(parts), parts, strict=False)
    ]
    return re.compile("".join(texts), re.DOTALL)
