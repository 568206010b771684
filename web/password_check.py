"""The check of a new password while it is typed, by the rules of the service.

A script of the pages asks for it. Without scripts the rules are below the field, and the form says
what it rejects. Nothing is read, written or logged, and no other service is asked.
"""

from flask import Blueprint, Response, request

from api.client import client
from api.responses import json_response
from api.services import accounts
from api.write_limits import take_write
from models.errors import WeakPassword
from web.languages import translate, use_language_of
from web.texts import error_text

PATH = "/password-check"
# Words about the account that must not carry the password.
_CONTEXT = ("username", "email", "full_name")
_MAX_LENGTH = 254


def add_page(pages: Blueprint) -> None:
    """Add the check."""
    pages.add_url_rule(PATH, "password_check", _check, methods=["POST"])


def _check() -> Response:
    """Respond whether the password would be accepted, with a sentence."""
    # A check takes milliseconds, so clients are counted in memory.
    take_write(f"password-check {client().ip}")
    # The user is not read again: the page says in which language it is.
    use_language_of(request.args.get("language"))
    context = [request.form.get(name, "")[:_MAX_LENGTH] for name in _CONTEXT]
    try:
        accounts.policy.validate(request.form.get("password", ""), *context, offline=True)
    except WeakPassword as error:
        verdict = {"accepted": False, "text": error_text(str(error))}
    else:
        verdict = {"accepted": True, "text": translate("This password satisfies the rules.")}
    response = json_response(verdict)
    response.headers["Cache-Control"] = "no-store"
    return response
