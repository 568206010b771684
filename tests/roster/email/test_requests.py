"""Emails requested over HTTP: headers of the request never appear in them."""

from dataclasses import replace

import pytest

from roster.email.file_backend import FileBackend, link_of
from tests.support.process_harness import wait_for

BASE = "https://accounts.example.org/users"


@pytest.fixture
def mailbox(tmp_path):
    return FileBackend(tmp_path)


@pytest.fixture
def service(config, make_app, register, tmp_path):
    """A client of a service that writes its emails to a folder; jane has an account."""
    register("jane")
    return make_app(email=replace(config.email, base_url=BASE, folder=tmp_path)).test_client()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"},
        {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Port": "666"},
        {"Forwarded": "for=127.0.0.1;host=evil.example;proto=http"},
        {"X-Original-Host": "evil.example", "X-Host": "evil.example"},
        {"Origin": "https://evil.example", "Referer": "https://evil.example/"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize(
    "route, page", [("password-resets", "reset-password"), ("email-verifications", "verify-email")]
)
class TestLinks:
    def test_poisoned_request(self, service, mailbox, route, page, headers):
        """CVE-2023-49097, GHSA-3529-5m8x-rpv3: the link points to the configured URL."""
        response = service.post(f"/v1/{route}", json={"email": "jane@example.com"}, headers=headers)
        wait_for(mailbox.ids, "the email is delivered")

        email = mailbox.find(mailbox.ids()[0])
        assert response.status_code == 202
        assert link_of(email).startswith(f"{BASE}/{page}#token=")
        assert "evil" not in email.as_string()
