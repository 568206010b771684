"""Where to report vulnerabilities: /.well-known/security.txt (RFC 9116)."""

from datetime import UTC, datetime, timedelta

import pytest

from roster.config import EmailSettings

PATH = "/.well-known/security.txt"


def fields(response):
    """Return the fields of the file by name."""
    assert (response.status_code, response.content_type) == (200, "text/plain; charset=utf-8")
    return dict(line.split(": ", 1) for line in response.text.splitlines())


def test_default_contact(make_app):
    """The default contact is security@ the domain of the sender of emails."""
    app = make_app(email=EmailSettings(sender="Roster <accounts@example.com>"))

    assert fields(app.test_client().get(PATH))["Contact"] == "mailto:security@example.com"


def test_contact(make_app):
    """ROSTER_SECURITY_CONTACT is the contact."""
    app = make_app(email=EmailSettings(security_contact="https://example.com/report"))

    assert fields(app.test_client().get(PATH))["Contact"] == "https://example.com/report"


def test_expiry(tableless_client):
    """Section 2.5.5: the file has an expiry in the future, less than a year from now."""
    expires = datetime.fromisoformat(fields(tableless_client.get(PATH))["Expires"])

    assert timedelta(days=1) < expires - datetime.now(UTC) < timedelta(days=365)


@pytest.mark.parametrize(
    "base_url, canonical",
    [
        ("https://accounts.example.com", "https://accounts.example.com/.well-known/security.txt"),
        ("http://127.0.0.1:8080", None),
    ],
)
def test_canonical(make_app, base_url, canonical):
    """Section 2.5.2: the canonical URL is given if it is https."""
    app = make_app(email=EmailSettings(base_url=base_url))

    assert fields(app.test_client().get(PATH)).get("Canonical") == canonical


def test_internationalized_domain(make_app):
    """A domain with non-ASCII letters is written in ASCII (RFC 6068)."""
    app = make_app(email=EmailSettings(sender="Roster <accounts@b\u00fccher.example>"))

    contact = fields(app.test_client().get(PATH))["Contact"]

    assert contact == "mailto:security@xn--bcher-kva.example"
