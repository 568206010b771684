"""`roster config`."""

import json
import os

import pytest
from click.testing import CliRunner

from roster.cli import cli
from tests.support.secret_key import SECRET_KEY


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Set a secret key, a setting and a region, and nothing else."""
    for name in [name for name in os.environ if name.startswith(("ROSTER_", "DYNAMODB_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ROSTER_SECRET_KEY", f"hunter2{SECRET_KEY}")
    monkeypatch.setenv("ROSTER_SESSION_IDLE", "36h")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")


def rows(*arguments):
    """Return the settings of the JSON document by name."""
    result = CliRunner().invoke(cli, ["config", "--json", *arguments])
    assert result.exit_code == 0, result.output
    return {row.pop("setting"): row for row in json.loads(result.output)}


def test_value_and_source():
    """A setting has its value as a variable would have it, and the source."""
    settings = rows()

    assert settings["ROSTER_SESSION_IDLE"] == {"value": "1d12h", "source": "ROSTER_SESSION_IDLE"}
    assert settings["ROSTER_SIGNUP"] == {"value": "open", "source": "default"}
    assert settings["DYNAMODB_REGION"] == {"value": "eu-west-3", "source": "AWS_REGION"}
    assert settings["DYNAMODB_READ_TIMEOUT_SECONDS"] == {"value": "5", "source": "default"}


def test_secrets_are_masked(monkeypatch, tmp_path):
    """ASVS 16.2.5: secrets are never displayed, also not those of files."""
    file = tmp_path / "password"
    file.write_text("hunter2")
    monkeypatch.setenv("ROSTER_SMTP_PASSWORD_FILE", str(file))
    monkeypatch.setenv("ROSTER_SMTP_USERNAME", "roster")
    monkeypatch.setenv("DYNAMODB_EXTRA_HEADERS", "authorization=hunter2")
    result = CliRunner().invoke(cli, ["config"])

    assert result.exit_code == 0
    assert "hunter2" not in result.output
    assert "ROSTER_SECRET_KEY\t(set)\tROSTER_SECRET_KEY\n" in result.output
    assert "ROSTER_SMTP_PASSWORD\t(set)\tROSTER_SMTP_PASSWORD_FILE\n" in result.output


def test_local(monkeypatch):
    """With --local the settings are those of local mode, without a secret key."""
    monkeypatch.delenv("ROSTER_SECRET_KEY")

    assert rows("--local")["ROSTER_DEMO"] == {"value": "on", "source": "default"}


def test_invalid(monkeypatch):
    """An invalid configuration is one line and a non-zero exit."""
    monkeypatch.setenv("ROSTER_WORKERS", "many")
    result = CliRunner().invoke(cli, ["config"])

    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert result.output.startswith("Error: ")
