"""Emails of a running service: the mailbox of local mode, and delivery before shutdown."""

import json
import stat
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.process_harness import HERE, ProcessHarness, Running, wait_for
from tests.support.smtp_server import MailServer, texts

IS_COVERED = False


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def smtp_settings(port: int) -> dict[str, str]:
    """Return the settings that send emails to an SMTP server on this computer."""
    return {
        "ROSTER_SMTP_HOST": HERE,
        "ROSTER_SMTP_PORT": str(port),
        "ROSTER_SMTP_SECURITY": "none",
        "ROSTER_MAIL_FROM": "accounts@example.org",
        "ROSTER_PUBLIC_URL": "https://accounts.example.org",
    }


def request_email(service: Running, route: str = "password-resets") -> None:
    response = service.call("POST", f"/v1/{route}", {"email": "jane@example.com"})
    assert response.status == 202, response.body


def emails(service: Running) -> list[dict[str, str]]:
    """Return the emails that /dev/mail returns to a script."""
    request = urllib.request.Request(
        f"http://{HERE}:{service.port}/dev/mail", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


class TestLocalMode:
    def test_banner_has_the_mailbox(self, harness: ProcessHarness):
        """The banner has the URL of the mailbox."""
        service = harness.serve()

        assert f"http://127.0.0.1:{service.port}/dev/mail\n" in service.said

    def test_link_is_printed_and_works(self, harness: ProcessHarness):
        """The link in an email points to this service; its token sets a new password."""
        service = harness.serve()
        request_email(service)
        [mail] = wait_for(lambda: emails(service), "the email is delivered")
        begin, _, token = mail["link"].partition("#token=")
        new = {"token": token, "new_password": "a stone bridge over the river"}

        assert begin == f"http://127.0.0.1:{service.port}/reset-password"
        wait_for(lambda: mail["link"] in service.said, "the link is printed")
        assert service.call("POST", "/v1/password-resets/confirm", new).status == 204
        assert service.sign_in("jane").status == 401

    def test_file_permissions(self, harness: ProcessHarness):
        """Other users of the computer cannot read the emails."""
        service = harness.serve()
        request_email(service)
        wait_for(lambda: emails(service), "the email is delivered")
        folder = harness.data / "mail"

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    def test_smtp_server(self, harness: ProcessHarness, mail_server):
        """With an SMTP server, emails are sent to it; there is no folder and no mailbox page."""
        service = harness.serve(**smtp_settings(mail_server.port))
        request_email(service)
        wait_for(lambda: mail_server.envelopes, "the SMTP server has the email")

        assert (
            "https://accounts.example.org/reset-password#token=" in texts(mail_server.envelopes)[0]
        )
        assert not (harness.data / "mail").exists()
        assert "/dev/mail" not in service.said
        assert service.call("GET", "/dev/mail").status == 404


class TestShutdown:
    def test_queued_emails_are_sent(self, harness: ProcessHarness, mail_server):
        """A service sends the queued emails before it stops."""
        mail_server.answers = ["451 4.7.1 Greylisted"]
        service = harness.serve(**smtp_settings(mail_server.port))
        request_email(service)
        wait_for(lambda: not mail_server.answers, "the SMTP server has deferred the email")

        assert service.stop() == 0
        assert len(mail_server.envelopes) == 1
        assert harness.is_empty()

    def test_smtp_server_hangs(self, harness: ProcessHarness, taken_port):
        """An SMTP server that never responds delays the end by a few seconds at most."""
        service = harness.serve(**smtp_settings(taken_port))
        request_email(service)

        assert service.stop() == 0
        assert "1 emails not sent: the process ends" in service.said
        assert harness.is_empty()
