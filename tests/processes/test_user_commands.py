"""`roster users` as processes of their own: what has to be done before they end."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from tests.support.process_harness import HERE, PASSWORD, Stage, only_line
from tests.support.smtp_server import MailServer, texts


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


@pytest.fixture
def settings(dynamodb_engine: Engine) -> dict[str, str]:
    """Settings for the engine that stands in for AWS, where no table has been made yet."""
    return {
        "ROSTER_SECRET_KEY": "only for tests",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
    }


@pytest.fixture
def ada(stage: Stage, settings: dict[str, str]) -> None:
    """Tables with one user."""
    assert stage.rehearse("dynamodb", "create", **settings)[0] == 0
    words = ("users", "create-admin", "ada", "ada@example.com", "--password", PASSWORD)
    assert stage.rehearse(*words, **settings)[0] == 0


def by_server(server: MailServer) -> dict[str, str]:
    """The settings that send mails to a server on this computer."""
    return {
        "ROSTER_SMTP_HOST": HERE,
        "ROSTER_SMTP_PORT": str(server.port),
        "ROSTER_SMTP_SECURITY": "none",
        "ROSTER_MAIL_FROM": "accounts@example.org",
        "ROSTER_PUBLIC_URL": "https://accounts.example.org",
    }


class TestResetPassword:
    def test_mail_is_sent_before_the_end(self, stage: Stage, settings, ada, mail_server):
        """When the command has ended the user has a link, and only the user (ASVS 6.4.6)."""
        status, said = stage.run(
            "users", "reset-password", "ada", **settings, **by_server(mail_server)
        )
        [mail] = mail_server.envelopes

        assert status == 0
        assert mail.rcpt_tos == ["ada@example.com"]
        assert "https://accounts.example.org/reset-password#token=" in texts([mail])[0]
        assert only_line(said) == "a link to set a new password is mailed to ada@example.com"

    def test_mail_server_refuses(self, stage: Stage, settings, ada, mail_server):
        """A mail that could not be sent is told of; its token is not."""
        mail_server.answers = ["550 5.7.1 No"]
        _, said = stage.run("users", "reset-password", "ada", **settings, **by_server(mail_server))

        assert mail_server.envelopes == []
        assert "is not sent" in said
        assert "rso_" not in said


class TestSettings:
    def test_are_missing(self, stage: Stage):
        """Without settings one line says which is missing."""
        status, said = stage.run("users", "list")

        assert status == 1
        assert "ROSTER_SECRET_KEY is not set" in only_line(said)

    def test_no_credentials(self, stage: Stage, settings):
        """Without credentials one line says how to give some."""
        settings = {**settings, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        status, said = stage.rehearse("users", "list", **settings)

        assert status == 1
        assert "no credentials" in only_line(said)

    def test_nobody_answers(self, stage: Stage, settings):
        """Without DynamoDB one line says so."""
        settings = {
            **settings,
            "DYNAMODB_HOST": "http://127.0.0.1:9",
            "DYNAMODB_MAX_RETRY_ATTEMPTS": "0",
        }
        status, said = stage.rehearse("users", "list", **settings)

        assert status == 1
        assert "DynamoDB is out of reach" in only_line(said)

    def test_tables_are_missing(self, stage: Stage, settings):
        """Without tables one line says how to make them."""
        status, said = stage.rehearse("users", "list", **settings)

        assert status == 1
        assert "`roster dynamodb create` makes missing tables." in only_line(said)
