"""`roster users move`."""

import json

import pytest

from models import UsernameMode

MERGE = ("--email", "--username", "--delete-source")


@pytest.fixture
def run(run_users):
    """Run a command of `roster users`, with ada and her duplicate copy."""
    run_users("create", "ada", "ada@example.com", "--no-password")
    run_users("create", "copy", "copy@example.com", "--no-password", "--verified")
    return run_users


def names_of(run):
    """Return the username, address and verification of each user, by address."""
    users = json.loads(run("list", "--json").stdout)
    return sorted((user["email"], user["username"], user["email_verified"]) for user in users)


class TestMove:
    def test_both(self, run):
        """The target has both names, the source is deleted, and the output says so."""
        result = run("move", "ada", "copy", *MERGE, "--yes")

        assert result.exit_code == 0
        assert result.output.startswith("copy, ")
        assert result.output.endswith(" has copy, copy@example.com\n")
        assert names_of(run) == [("copy@example.com", "copy", False)]

    def test_username(self, run):
        """A username moves without a deletion."""
        run("move", "ada@example.com", "copy@example.com", "--username", "--yes")

        assert names_of(run) == [
            ("ada@example.com", "copy", False),
            ("copy@example.com", None, True),
        ]

    def test_question(self, run):
        """The question says what moves and what is deleted; no is the default."""
        result = run("move", "ada", "copy", "--email", "--delete-source", input="\n")

        assert "Move copy@example.com to ada and delete copy, " in result.output
        assert result.exit_code == 1
        assert len(names_of(run)) == 2

    def test_question_without_deletion(self, run):
        """A username alone is moved after yes."""
        result = run("move", "ada", "copy", "--username", input="y\n")

        assert "Move copy to ada?" in result.output
        assert result.exit_code == 0

    @pytest.mark.parametrize(
        "options, status, text",
        [
            (("ada", "copy", "--yes"), 2, "Give --email, --username, or both."),
            (("ada", "copy", "--email", "--yes"), 2, "--email requires --delete-source"),
            (("ada", "ada", *MERGE, "--yes"), 1, "It must be another user."),
            (("ada", "nobody", *MERGE, "--yes"), 1, "There is no user with this username"),
            (("nobody", "copy", *MERGE, "--yes"), 1, "There is no user with this username"),
        ],
    )
    def test_rejected(self, run, options, status, text):
        """Wrong options give one line, and nothing is changed."""
        result = run("move", *options)

        assert result.exit_code == status
        assert text in result.output
        assert len(names_of(run)) == 2

    def test_source_without_username(self, run):
        """A user without a username has none to move."""
        run("create", "nell@example.com", "--no-password")
        result = run("move", "ada", "nell@example.com", "--username", "--yes")

        assert result.exit_code == 1
        assert "nell@example.com has no username." in result.output

    def test_required_usernames(self, run, make_app):
        """Where usernames are required, the source cannot stay without one."""
        app = make_app(username_mode=UsernameMode.REQUIRED)
        result = run("move", "ada", "copy", "--username", "--yes", app=app)

        assert result.exit_code == 2
        assert "--username requires --delete-source" in result.output
