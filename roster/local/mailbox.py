"""The mailbox page of local mode, for requests from the same computer only."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import NotFound

from api.responses import json_response
from roster.email.file_backend import FileBackend, html_of, link_of, text_of
from roster.local.loopback import is_local_request
from web.html import html, page
from web.languages import use_source

PATH = "/dev/mail"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src {images} data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
# An email has styles of its own. Sandboxed, it has no origin, runs nothing and loads nothing.
_EMAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; sandbox"
)


def init_app(app: Flask, folder: Path) -> None:
    """Add the pages for the emails of a folder."""
    app.register_blueprint(_mailbox(FileBackend(folder)))


def _mailbox(folder: FileBackend) -> Blueprint:
    mailbox = Blueprint("mailbox", __name__, url_prefix=PATH, template_folder="templates")
    mailbox.before_request(_require_local_request)

    @mailbox.get("")
    def list_emails() -> Response:
        shown = [_shown(id, email) for id in folder.ids() if (email := folder.find(id))]
        answer = (
            json_response(shown)
            if _asks_for_json()
            else page("mailbox/list.html", _POLICY, emails=shown)
        )
        answer.headers["Cache-Control"] = "no-store"
        answer.vary.add("Accept")
        return answer

    @mailbox.get("/<id>")
    def show_email(id: str) -> Response:
        return page("mailbox/email.html", _POLICY, email=_shown(id, _get(folder, id)))

    @mailbox.get("/<id>/html")
    def show_html(id: str) -> Response:
        return html(html_of(_get(folder, id)), _EMAIL_POLICY)

    return mailbox


def _get(folder: FileBackend, id: str) -> EmailMessage:
    email = folder.find(id)
    if email is None:
        raise NotFound
    return email


def _shown(id: str, email: EmailMessage) -> dict[str, Any]:
    return {
        "id": id,
        "to": str(email["To"]),
        "subject": str(email["Subject"]),
        "date": email["Date"].datetime.isoformat().replace("+00:00", "Z"),
        "text": text_of(email),
        "link": link_of(email),
    }


def _asks_for_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _require_local_request() -> None:
    """Respond 404 to remote requests: these emails give access to accounts."""
    use_source()
    if not is_local_request():
        raise NotFound
