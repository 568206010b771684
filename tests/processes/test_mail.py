"""Mails of a running service: where a person finds them, and that none is lost at its end."""

import json
import stat
import urllib.request
from collections.abc import Iterator

import pytest

from tests.support.process_harness import HERE, Running, Stage, wait_for
from tests.support.smtp_server import MailServer, texts


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def by_server(port: int) -> dict[str, str]:
    """The settings that send mails to a server on this computer."""
    return {
        "ROSTER_SMTP_HOST": HERE,
        "ROSTER_SMTP_PORT": str(port),
        "ROSTER_SMTP_SECURITY": "none",
        "ROSTER_MAIL_FROM": "accounts@example.org",
        "ROSTER_PUBLIC_URL": "https://accounts.example.org",
    }


def ask_for_a_mail(service: Running, route: str = "password-resets") -> None:
    answer = service.call("POST", f"/v1/{route}", {"email": "jane@example.com"})
    assert answer.status == 202, answer.body


def mails(service: Running) -> list[dict[str, str]]:
    """What a script reads at /dev/mail."""
    request = urllib.request.Request(
        f"http://{HERE}:{service.port}/dev/mail", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class TestLocalMode:
    def test_banner_says_where(self, stage: Stage):
        """A person is told where mails are read."""
        service = stage.serve()

        assert f"http://127.0.0.1:{service.port}/dev/mail\n" in service.said

    def test_link_is_printed_and_works(self, stage: Stage):
        """The link of a mail leads to this service; its token sets a new password."""
        service = stage.serve()
        ask_for_a_mail(service)
        [mail] = wait_for(lambda: mails(service), "the mail is there")
        begin, _, token = mail["link"].partition("#token=")
        new = {"token": token, "new_password": "a stone bridge over the river"}

        assert begin == f"http://127.0.0.1:{service.port}/reset-password"
        wait_for(lambda: mail["link"] in service.said, "the link is printed")
        assert service.call("POST", "/v1/password-resets/confirm", new).status == 204
        assert service.sign_in("jane").status == 401

    def test_private(self, stage: Stage):
        """Nobody else on the computer can read the mails."""
        service = stage.serve()
        ask_for_a_mail(service, "email-verifications")
        wait_for(lambda: mails(service), "the mail is there")
        folder = stage.data / "mail"

        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    def test_a_mail_server_is_used(self, stage: Stage, mail_server):
        """With a mail server mails leave, no folder is made and there is no page."""
        service = stage.serve(**by_server(mail_server.port))
        ask_for_a_mail(service)
        wait_for(lambda: mail_server.envelopes, "the mail server has the mail")

        assert (
            "https://accounts.example.org/reset-password#token=" in texts(mail_server.envelopes)[0]
        )
        assert not (stage.data / "mail").exists()
        assert "/dev/mail" not in service.said
        assert service.call("GET", "/dev/mail").status == 404


class TestEnd:
    def test_mails_are_sent_before(self, stage: Stage, mail_server):
        """A service that is told to stop sends the mails that wait."""
        mail_server.answers = ["451 4.7.1 Greylisted"]
        service = stage.serve(**by_server(mail_server.port))
        ask_for_a_mail(service)
        wait_for(lambda: not mail_server.answers, "the mail server has said: later")

        assert service.stop() == 0
        assert len(mail_server.envelopes) == 1
        assert stage.is_empty()

    def test_mail_server_that_hangs(self, stage: Stage, taken_port):
        """A mail server that never answers delays the end by some seconds, no more."""
        service = stage.serve(**by_server(taken_port))
        ask_for_a_mail(service)

        assert service.stop() == 0
        assert "mails are not sent: 1 are left and the process ends" in service.said
        assert stage.is_empty()
