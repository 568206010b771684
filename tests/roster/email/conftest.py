"""Fixtures of the email tests: emails, a renderer, SMTP servers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from models import Email, EmailKind
from roster.config import EmailSettings
from roster.email.render import EmailRenderer
from tests.support.certificates import Authority, make_authority
from tests.support.smtp_server import MailServer

TOKEN = "a-secret-token_of-a-mail"
RESET = Email(EmailKind.RESET_PASSWORD, "jane@example.com", "jane", token=TOKEN, minutes=10)
CHANGED = Email(EmailKind.PASSWORD_CHANGED, "jane@example.com", "jane")


@pytest.fixture
def settings() -> EmailSettings:
    return EmailSettings(
        sender="Roster <accounts@example.org>", base_url="https://accounts.example.org"
    )


@pytest.fixture
def renderer(settings: EmailSettings) -> EmailRenderer:
    return EmailRenderer(settings)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return make_authority(folder)


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """A certificate authority that this computer trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    return authority


@pytest.fixture
def serve() -> Iterator[Any]:
    """Start SMTP servers: `serve(answers=["451 later"])`."""
    with ExitStack() as servers:
        yield lambda **options: servers.enter_context(MailServer(**options).running())
