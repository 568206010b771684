"""`roster users` on this test's own tables."""

import pytest
from flask import Flask

from tests.conftest import PASSWORD


@pytest.fixture
def run(app: Flask):
    """Runs a command of `roster users`."""
    return lambda *words, **options: app.test_cli_runner().invoke(args=["users", *words], **options)


class TestCreateAdmin:
    def test_first_admin(self, run, client):
        """The admin can sign in and administer; the password is asked for and never shown."""
        result = run("create-admin", "Ada", "ada@example.com", input=f"{PASSWORD}\n{PASSWORD}\n")
        signed_in = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert result.exit_code == 0
        assert "made ada, " in result.output
        assert PASSWORD not in result.output
        assert signed_in.json["user"]["roles"] == ["admin"]

    @pytest.mark.parametrize(
        ("username", "email", "password", "reason"),
        [
            ("a", "ada@example.com", PASSWORD, "3 to 32 letters"),
            ("ada", "nonsense", PASSWORD, "@-sign"),
            ("ada", "ada@example.com", "short", "at least 15 characters"),
        ],
    )
    def test_refused(self, run, username, email, password, reason):
        """What the rules refuse is one line that says why, and a non-zero exit."""
        result = run("create-admin", username, email, "--password", password)

        assert result.exit_code == 1
        assert reason in result.output
        assert result.output.count("\n") == 1


class TestSweep:
    def test_nothing_to_do(self, run):
        """Without left-over rows it says so."""
        assert run("sweep").output == "0 left over\n"
