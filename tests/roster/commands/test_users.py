"""`roster users` on the tables of the test."""

import json
from datetime import UTC, datetime

import pytest

from models import db
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_users):
    """Run a command of `roster users`."""
    return run_users


@pytest.fixture
def run_without_tables(make_app, config, run_users):
    """Run a command of `roster users` without tables."""
    app = make_app(dynamodb={**config.dynamodb, "DYNAMODB_TABLE_PREFIX": "none-"})
    with app.app_context():
        db.drop_all()
    return lambda *command: run_users(*command, app=app)


@pytest.fixture
def terminal(monkeypatch):
    """Make the output a wide terminal."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")


def lines(result):
    """Return the cells of the tab-separated output."""
    return [line.split("\t") for line in result.stdout.splitlines()]


class TestCreateAdmin:
    def test_first_admin(self, run, client):
        """The admin can sign in and has the role; the password is prompted for and never shown."""
        result = run("create-admin", "Ada", "ada@example.com", input=f"{PASSWORD}\n{PASSWORD}\n")
        signed_in = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert result.exit_code == 0
        assert "created ada, " in result.output
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
    def test_rejected(self, run, username, email, password, reason):
        """Rejected values give one line with the reason and a non-zero exit status."""
        result = run("create-admin", username, email, "--password", password)

        assert result.exit_code == 1
        assert reason in result.output
        assert result.output.count("\n") == 1


class TestList:
    def test_lines(self, run, john, jane):
        """Without a terminal there is a line for each user, newest first, with tabs."""
        head, *rows = lines(run("list"))

        assert head[:5] == ["id", "username", "email", "status", "roles"]
        assert [row[:5] for row in rows] == [
            [jane.id, "jane", "jane@example.com", "active", "user"],
            [john.id, "john", "john@example.com", "active", "admin"],
        ]

    def test_json(self, run, john, jane):
        """--json prints one JSON document: users as the API returns them, without hashes."""
        result = run("list", "--json")

        assert json.loads(result.stdout) == john.get("/v1/users").json["items"]
        assert "argon2" not in result.stdout

    @pytest.mark.parametrize(
        ("arguments", "found"),
        [
            (["--search", "JA"], ["jane"]),
            (["--search", "ja", "--status", "suspended"], []),
            (["--search", "jo", "--role", "admin"], ["john"]),
            (["--search", "jo", "--limit", "1"], ["john"]),
        ],
    )
    def test_search(self, run, john, jane, arguments, found):
        """--search finds the beginning of a name, together with the filters."""
        assert [row[1] for row in lines(run("list", *arguments))[1:]] == found

    @pytest.mark.parametrize("text", ["j", "", "x" * 257])
    def test_bad_search(self, run, text):
        """A text that is too short or too long is named."""
        result = run("list", "--search", text)

        assert result.exit_code == 2
        assert "--search" in result.stderr

    def test_terminal(self, run, jane, terminal):
        """A terminal gets columns."""
        result = run("list")

        assert "\t" not in result.stdout
        assert "jane@example.com" in result.stdout

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (("--role", "admin"), ["john"]),
            (("--status", "suspended"), ["eve"]),
            (("--limit", "1"), ["amy"]),
            (("--limit", "1", "--role", "user"), ["amy"]),
        ],
    )
    def test_options(self, run, john, register, options, expected):
        """Options filter by status and role, and limit the number."""
        register("eve", status="suspended")
        register("amy")
        result = run("list", "--json", *options)

        assert [user["username"] for user in json.loads(result.stdout)] == expected

    def test_all_pages(self, run, register, monkeypatch):
        """All pages are listed."""
        monkeypatch.setattr("roster.commands.users.accounts._PAGE", 2)
        created = [register(f"user-{number}") for number in range(7)]
        result = run("list", "--json")

        assert [user["id"] for user in json.loads(result.stdout)] == created[::-1]

    def test_unknown(self, run):
        """Without users the list is empty."""
        assert json.loads(run("list", "--json").stdout) == []


class TestShow:
    @pytest.mark.parametrize("login", ["jane", "JANE", "jane@example.com"])
    def test_by_username_or_email(self, run, jane, login):
        """A user is found by username and email, in any case."""
        assert json.loads(run("show", login, "--json").stdout)["user"]["id"] == jane.id

    def test_by_id(self, run, jane):
        """A user is found by ID."""
        assert json.loads(run("show", jane.id, "--json").stdout)["user"]["username"] == "jane"

    def test_json(self, run, jane):
        """The document has the user, the scheme of its hash, and its last events."""
        shown = json.loads(run("show", "jane", "--json").stdout)

        assert shown["user"] == jane.get("/v1/users/me").json
        assert shown["password"] == "argon2"
        assert shown["failed_tries"] == 0
        assert shown["events"] == jane.get("/v1/users/me/events").json["items"]

    def test_lines(self, run, jane):
        """Without a terminal it prints lines, without password or hash (ASVS 16.2.5)."""
        result = run("show", "jane")

        assert ["username", "jane"] in lines(result)
        assert "session.opened" in result.stdout
        assert "$argon2" not in result.stdout

    def test_failed_attempts(self, run, jane, client):
        """Failed attempts are shown."""
        client.post("/v1/sessions", json={"login": "jane", "password": "not her password"})
        shown = json.loads(run("show", "jane", "--json").stdout)

        assert shown["failed_tries"] == 1
        assert shown["events"][0]["reason"] == "wrong-password"

    def test_markup(self, run, jane, terminal):
        """Markup of the terminal library in a name is shown unchanged."""
        jane.patch(jane.path, json={"full_name": "[red]Jane[/red] [/bold]"})
        result = run("show", "jane")

        assert result.exit_code == 0
        assert "[red]Jane[/red] [/bold]" in result.stdout


class TestSuspend:
    def test_sessions_end(self, run, jane):
        """Every session of the user ends immediately (ASVS 7.4.2)."""
        result = run("suspend", "jane")

        assert result.output == "jane is suspended\n"
        assert jane.get("/v1/users/me").status_code == 401

    def test_twice(self, run, jane):
        """Suspending a suspended user is no error."""
        run("suspend", "jane")

        assert run("suspend", "jane").output == "jane is suspended\n"

    def test_last_admin(self, run, john):
        """The last active admin cannot be suspended."""
        result = run("suspend", "john")

        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "last active admin" in result.output

    def test_reactivate(self, run, jane):
        """A reactivated user can sign in again; earlier sessions stay ended."""
        run("suspend", "jane")
        result = run("reactivate", "jane")

        assert result.output == "jane is active\n"
        assert jane.get("/v1/users/me").status_code == 401
        assert jane.sign_in().get("/v1/users/me").status_code == 200


class TestUnlock:
    def test_locked_user(self, run, jane, edit_row):
        """An unlocked user can sign in immediately, and an event records it (ASVS 6.1.1)."""
        edit_row(jane, failed_attempts=99, last_attempt_at=datetime.now(UTC))
        rejected = jane.client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})
        result = run("unlock", "jane")

        assert rejected.status_code == 429
        assert result.output == "jane is unlocked\n"
        types = [event["type"] for event in jane.sign_in().get("/v1/users/me/events").json["items"]]
        assert types[1:3] == ["account.unlocked", "user.unlocked"]


class TestResetPassword:
    def test_no_mail_server(self, run, jane):
        """Without a way to send emails, one line says so."""
        result = run("reset-password", "jane")

        assert result.exit_code == 1
        assert result.output == "Error: This service sends no email. Contact its operator.\n"

    def test_suspended(self, run, register):
        """A suspended user is not sent a link that would not work."""
        register("eve", status="suspended")
        result = run("reset-password", "eve")

        assert result.exit_code == 1
        assert result.output == "Error: eve is suspended: run `reactivate` first.\n"

    def test_no_password_to_choose(self, run, jane):
        """An operator cannot set a password (ASVS 6.4.6)."""
        assert run("reset-password", "jane", "--password", PASSWORD).exit_code == 2


class TestSchemes:
    def test_counts(self, run, app, jane, eve, edit_row):
        """The number of users by hash scheme is shown, without hashes."""
        edit_row(jane, password_hash="{SSHA}dbwACW8xcK0dbCD6++x31sdc0Up/L4Xw")
        edit_row(eve, password_hash="$argon2id$v=19$m=16,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)
        run("create-admin", "ada", "ada@example.com", "--password", PASSWORD)
        run("import", "-", input='{"username": "bob", "email": "bob@example.com"}')
        result = run("schemes", "--json")

        assert json.loads(result.stdout) == {
            "argon2": 1,
            "argon2, older parameters": 1,
            "ldap_salted_sha1": 1,
            "no password": 1,
        }

    def test_lines(self, run, jane):
        """Without a terminal there is a line for each scheme."""
        assert lines(run("schemes")) == [["scheme", "users"], ["argon2", "1"]]


class TestUnknownUser:
    @pytest.mark.parametrize("command", ["show", "suspend", "reactivate", "unlock"])
    @pytest.mark.parametrize("login", ["unknown", "unknown@example.com", ABSENT_ID, "", "!"])
    def test_unknown(self, run, command, login):
        """For an unknown user, one line says so."""
        result = run(command, login)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1


class TestTables:
    @pytest.mark.parametrize(
        "command", [("list",), ("show", "jane"), ("schemes",), ("unlock", "jane"), ("sweep",)]
    )
    def test_are_missing(self, run_without_tables, command):
        """Without tables one line says how to create them."""
        result = run_without_tables(*command)

        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "`roster dynamodb create` creates missing tables." in result.output


class TestSweep:
    def test_nothing_to_do(self, run):
        """Without unfinished cleanups the number is 0."""
        assert run("sweep").output == "cleaned up 0 users\n"
