"""`roster invitations` on the tables of the test."""

import json

import pytest

from models import EmailKind
from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_roster, email_app):
    """Run a command of `roster invitations` that can send emails: `run("list")`."""
    return lambda *arguments: run_roster("invitations", *arguments, app=email_app)


@pytest.fixture
def invite_from(run, tmp_path):
    """Return a function that invites the addresses of a file with these bytes."""

    def create(content, *options):
        file = tmp_path / "people.csv"
        file.write_bytes(content)
        return run("create", "--csv", str(file), *options)

    return create


@pytest.fixture
def listed(run):
    """Return a function that returns the invitations by their addresses."""
    return lambda: {each["email"]: each for each in json.loads(run("list", "--json").stdout)}


class TestCreate:
    def test_addresses(self, run, sent_emails):
        """Each address gets an email, and a line of the output."""
        result = run("create", "ada@example.com", "eve@example.com")

        assert result.exit_code == 0
        lines = result.stdout.splitlines()
        assert lines[:2] == ["ada@example.com: invited", "eve@example.com: invited"]
        # The emails of local mode are announced before.
        assert lines[-1] == "2 invited, 0 already invited, 0 a user, 0 rejected"
        assert {email.kind for email in sent_emails()} == {EmailKind.INVITATION}

    def test_nothing_to_do(self, run):
        """Without addresses and file, or with both, nothing is done."""
        assert run("create").exit_code == 2

    def test_no_email_configured(self, run_roster, tmp_path):
        """A service without emails says so once, not for each line."""
        file = tmp_path / "people.csv"
        file.write_text("a@example.com\nb@example.com\n")

        result = run_roster("invitations", "create", "--csv", str(file))

        assert result.exit_code == 1
        assert result.stderr == "Error: This service sends no email. Contact its operator.\n"


class TestCsv:
    def test_roles(self, invite_from, listed):
        """The roles of a line take precedence over those of the option."""
        content = b"email,roles\nada@example.com,user auditor\neve@example.com,\n"

        result = invite_from(content, "--role", "support")

        assert result.exit_code == 0
        assert listed()["ada@example.com"]["roles"] == ["auditor", "user"]
        assert listed()["eve@example.com"]["roles"] == ["support"]

    @pytest.mark.parametrize(
        "content",
        [
            b"email\r\nada@example.com\r\n",
            b"\xef\xbb\xbfemail\nada@example.com",
            b"\xef\xbb\xbfada@example.com\r\n\r\n",
            b"roles,Email\nuser,ada@example.com\n",
            b'"email","roles"\n" ada@example.com ","user"\n',
        ],
    )
    def test_forms(self, invite_from, listed, content):
        """A byte order mark, line ends of Windows, blank lines and quotes are accepted."""
        assert invite_from(content).exit_code == 0
        assert list(listed()) == ["ada@example.com"]

    def test_repeated(self, invite_from, sent_emails, jane):
        """A second run, duplicates and users get no further email."""
        content = b"ada@example.com\nADA@example.com\njane@example.com\n"
        invite_from(content)

        again = invite_from(content, "--json")

        assert json.loads(again.stdout) == {
            "invited": 0,
            "already_invited": 2,
            "a_user": 1,
            "rejected": 0,
            "faults": [],
        }
        assert len(sent_emails()) == 1

    def test_faults(self, invite_from, listed):
        """A rejected line is reported, and the others are invited."""
        result = invite_from(b"email,roles\nada@,user\neve@example.com,nobody\nida@example.com,\n")

        assert result.exit_code == 1
        assert "line 2: ada@: rejected" in result.stderr
        assert "  /roles/0: There is no such role." in result.stderr
        assert list(listed()) == ["ida@example.com"]

    def test_hostile_text(self, invite_from):
        """What could hide or turn the output is escaped."""
        result = invite_from("email\na\u202eb@example.com\n\x1b[2Jb@\n".encode())

        assert "a\\u202eb@example.com'" in result.stderr
        assert "\x1b" not in result.stderr

    @pytest.mark.parametrize(
        "content, text",
        [
            (b"name,email\nada,ada@example.com\n", "The columns of the file are email"),
            (b"email,email\na@example.com,b@example.com\n", "The columns of the file are email"),
            (b"ada@example.com,user,pro\n", "The columns of the file are email"),
            (b"email\n\xff\xfe\n", "line 1: this is no CSV: it is not in UTF-8"),
            (b'email\n"ada@example.com\n', "this is no CSV"),
        ],
    )
    def test_no_csv(self, invite_from, listed, content, text):
        """Another file is rejected in one line."""
        result = invite_from(content)

        assert result.exit_code == 1
        assert text in result.stderr
        assert listed() == {}


class TestOthers:
    def test_list(self, run, listed):
        """The list is a table, newest first."""
        run("create", "ada@example.com", "eve@example.com")

        lines = run("list", "--limit", "1").stdout.splitlines()

        assert len(lines) == 2
        assert lines[1].split("\t")[1] == "eve@example.com"

    @pytest.mark.parametrize("command", ["resend", "revoke"])
    def test_by_email(self, run, command):
        """An invitation is named by its address, in whatever case."""
        run("create", "ada@example.com")

        assert run(command, "Ada@example.com").exit_code == 0

    def test_revoke(self, run, listed):
        """A revoked invitation is gone."""
        run("create", "ada@example.com")

        result = run("revoke", listed()["ada@example.com"]["id"].upper())

        assert result.exit_code == 0
        assert listed() == {}

    def test_unknown(self, run):
        """An unknown invitation is reported in one line."""
        by_id, by_email = run("resend", ABSENT_ID), run("revoke", "eve@example.com")

        assert by_id.stderr == "Error: There is no invitation with this ID.\n"
        assert by_email.stderr == ("Error: There is no pending invitation of this email address.\n")
