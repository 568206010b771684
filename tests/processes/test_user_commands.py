"""`roster users` in separate processes: emails are sent before the process ends."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from tests.support.process_harness import HERE, PASSWORD, ProcessHarness, only_line
from tests.support.secret_key import SECRET_KEY
from tests.support.smtp_server import MailServer, texts


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


@pytest.fixture
def settings(dynamodb_engine: Engine) -> dict[str, str]:
    """Settings for the engine that replaces AWS, without any tables."""
    return {
        "ROSTER_SECRET_KEY": SECRET_KEY,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
    }


@pytest.fixture
def ada(harness: ProcessHarness, settings: dict[str, str]) -> None:
    """Create tables with one user."""
    assert harness.run_forked("dynamodb", "create", **settings)[0] == 0
    command = ("users", "create-admin", "ada", "ada@example.com", "--password", PASSWORD)
    assert harness.run_forked(*command, **settings)[0] == 0


def smtp_settings(server: MailServer) -> dict[str, str]:
    """Return the settings that send emails to an SMTP server on this computer."""
    return {
        "ROSTER_SMTP_HOST": HERE,
        "ROSTER_SMTP_PORT": str(server.port),
        "ROSTER_SMTP_SECURITY": "none",
        "ROSTER_MAIL_FROM": "accounts@example.org",
        "ROSTER_PUBLIC_URL": "https://accounts.example.org",
    }


class TestResetPassword:
    def test_email_is_sent_before_the_end(
        self, harness: ProcessHarness, settings, ada, mail_server
    ):
        """The command ends after the user, and only the user, has the link (ASVS 6.4.6)."""
        status, said = harness.run(
            "users", "reset-password", "ada", **settings, **smtp_settings(mail_server)
        )
        [mail] = mail_server.envelopes

        assert status == 0
        assert mail.rcpt_tos == ["ada@example.com"]
        assert "https://accounts.example.org/reset-password#token=" in texts([mail])[0]
        assert only_line(said) == "a link to set a new password will be emailed to ada@example.com"

    def test_smtp_server_rejects(self, harness: ProcessHarness, settings, ada, mail_server):
        """A failed email is reported, without its token."""
        mail_server.answers = ["550 5.7.1 No"]
        _, said = harness.run(
            "users", "reset-password", "ada", **settings, **smtp_settings(mail_server)
        )

        assert mail_server.envelopes == []
        assert "not sent" in said
        assert "rso_" not in said


class TestSettings:
    def test_are_missing(self, harness: ProcessHarness):
        """Without settings one line names the missing one."""
        status, said = harness.run("users", "list")

        assert status == 1
        assert "ROSTER_SECRET_KEY is not set" in only_line(said)

    def test_no_credentials(self, harness: ProcessHarness, settings):
        """Without credentials one line says how to set them."""
        settings = {**settings, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        status, said = harness.run_forked("users", "list", **settings)

        assert status == 1
        assert "no credentials" in only_line(said)

    def test_dynamodb_is_unreachable(self, harness: ProcessHarness, settings):
        """Without DynamoDB the output is one line."""
        settings = {
            **settings,
            "DYNAMODB_HOST": "http://127.0.0.1:9",
            "DYNAMODB_MAX_RETRY_ATTEMPTS": "0",
        }
        status, said = harness.run_forked("users", "list", **settings)

        assert status == 1
        assert "DynamoDB is not reachable" in only_line(said)

    def test_tables_are_missing(self, harness: ProcessHarness, settings):
        """Without tables one line says how to create them."""
        status, said = harness.run_forked("users", "list", **settings)

        assert status == 1
        assert "`roster dynamodb create` creates missing tables." in only_line(said)
