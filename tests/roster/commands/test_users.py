"""`roster users` on this test's own tables."""

import json
from datetime import UTC, datetime

import pytest

from models import db
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_users):
    """Runs a command of `roster users`."""
    return run_users


@pytest.fixture
def nowhere(make_app, config, run_users):
    """Runs a command of `roster users` where there are no tables."""
    app = make_app(dynamodb={**config.dynamodb, "DYNAMODB_TABLE_PREFIX": "none-"})
    with app.app_context():
        db.drop_all()
    return lambda *words: run_users(*words, app=app)


@pytest.fixture
def terminal(monkeypatch):
    """Output is taken for a wide terminal."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")


def lines(result):
    """The cells of what was written for other tools."""
    return [line.split("\t") for line in result.stdout.splitlines()]


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


class TestList:
    def test_lines(self, run, john, jane):
        """Other tools get a line for each user, the newest first, with tabs between the cells."""
        head, *rows = lines(run("list"))

        assert head[:5] == ["id", "username", "email", "status", "roles"]
        assert [row[:5] for row in rows] == [
            [jane.id, "jane", "jane@example.com", "active", "user"],
            [john.id, "john", "john@example.com", "active", "admin"],
        ]

    def test_json(self, run, john, jane):
        """Scripts get one JSON document: users as the API shows them, and no hash."""
        result = run("list", "--json")

        assert json.loads(result.stdout) == john.get("/v1/users").json["items"]
        assert "argon2" not in result.stdout

    def test_terminal(self, run, jane, terminal):
        """People get columns."""
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
    def test_who_is_listed(self, run, john, register, options, expected):
        """Options choose by status, by role, and how many."""
        register("eve", status="suspended")
        register("amy")
        result = run("list", "--json", *options)

        assert [user["username"] for user in json.loads(result.stdout)] == expected

    def test_all_pages(self, run, register, monkeypatch):
        """The list goes on to its end, whatever a page holds."""
        monkeypatch.setattr("roster.commands.users.accounts._PAGE", 2)
        made = [register(f"user-{number}") for number in range(7)]
        result = run("list", "--json")

        assert [user["id"] for user in json.loads(result.stdout)] == made[::-1]

    def test_nobody(self, run):
        """Where there is nobody, a script gets an empty list."""
        assert json.loads(run("list", "--json").stdout) == []


class TestShow:
    @pytest.mark.parametrize("login", ["jane", "JANE", "jane@example.com"])
    def test_by_name_or_address(self, run, jane, login):
        """A user is found by its name and its address, in any case."""
        assert json.loads(run("show", login, "--json").stdout)["user"]["id"] == jane.id

    def test_by_id(self, run, jane):
        """A user is found by its id."""
        assert json.loads(run("show", jane.id, "--json").stdout)["user"]["username"] == "jane"

    def test_json(self, run, jane):
        """The document has the user, how its password is hashed, and its last events."""
        shown = json.loads(run("show", "jane", "--json").stdout)

        assert shown["user"] == jane.get("/v1/users/me").json
        assert shown["password"] == "argon2"
        assert shown["failed_tries"] == 0
        assert shown["events"] == jane.get("/v1/users/me/events").json["items"]

    def test_lines(self, run, jane):
        """Other tools get the same in lines; neither password nor hash is there (ASVS 16.2.5)."""
        result = run("show", "jane")

        assert ["username", "jane"] in lines(result)
        assert "session.opened" in result.stdout
        assert "$argon2" not in result.stdout

    def test_failed_tries(self, run, jane, client):
        """An operator sees that somebody has tried in vain."""
        client.post("/v1/sessions", json={"login": "jane", "password": "not her password"})
        shown = json.loads(run("show", "jane", "--json").stdout)

        assert shown["failed_tries"] == 1
        assert shown["events"][0]["reason"] == "wrong-password"

    def test_markup(self, run, jane, terminal):
        """A name is shown as it is, also where it looks like an instruction to the terminal."""
        jane.patch(jane.path, json={"full_name": "[red]Jane[/red] [/bold]"})
        result = run("show", "jane")

        assert result.exit_code == 0
        assert "[red]Jane[/red] [/bold]" in result.stdout


class TestSuspend:
    def test_sessions_end(self, run, jane):
        """Every session of the user ends at once (ASVS 7.4.2)."""
        result = run("suspend", "jane")

        assert result.output == "jane is suspended\n"
        assert jane.get("/v1/users/me").status_code == 401

    def test_twice(self, run, jane):
        """Suspending who is suspended is no error."""
        run("suspend", "jane")

        assert run("suspend", "jane").output == "jane is suspended\n"

    def test_last_admin(self, run, john):
        """Somebody has to administer, whoever asks."""
        result = run("suspend", "john")

        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "last active admin" in result.output

    def test_reactivate(self, run, jane):
        """Who is reactivated can sign in again; the sessions of before stay dead."""
        run("suspend", "jane")
        result = run("reactivate", "jane")

        assert result.output == "jane is active\n"
        assert jane.get("/v1/users/me").status_code == 401
        assert jane.sign_in().get("/v1/users/me").status_code == 200


class TestUnlock:
    def test_locked_user(self, run, jane, alter):
        """Who was locked out signs in at once, and an event tells of it (ASVS 6.1.1)."""
        alter(jane, failed_attempts=99, last_attempt_at=datetime.now(UTC))
        refused = jane.client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})
        result = run("unlock", "jane")

        assert refused.status_code == 429
        assert result.output == "jane is unlocked\n"
        assert jane.sign_in().get("/v1/users/me/events").json["items"][1]["type"] == "user.unlocked"


class TestResetPassword:
    def test_no_mail_server(self, run, jane):
        """Where no mail can be sent, one line says so."""
        result = run("reset-password", "jane")

        assert result.exit_code == 1
        assert result.output == "Error: This service sends no mail. Ask its operator.\n"

    def test_suspended(self, run, register):
        """Whoever may not sign in is not mailed a link that would not work."""
        register("eve", status="suspended")
        result = run("reset-password", "eve")

        assert result.exit_code == 1
        assert result.output == "Error: eve is suspended: `reactivate` comes first.\n"

    def test_no_password_to_choose(self, run, jane):
        """An operator cannot choose a password, here or anywhere (ASVS 6.4.6)."""
        assert run("reset-password", "jane", "--password", PASSWORD).exit_code == 2


class TestSchemes:
    def test_counts(self, run, app, jane, eve, alter):
        """An operator sees how many users still have which kind of hash, and no hash."""
        alter(jane, password_hash="{SSHA}dbwACW8xcK0dbCD6++x31sdc0Up/L4Xw")
        alter(eve, password_hash="$argon2id$v=19$m=16,t=1,p=1$c29tZXNhbHQ$" + "A" * 43)
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
        """Other tools get a line for each scheme."""
        assert lines(run("schemes")) == [["scheme", "users"], ["argon2", "1"]]


class TestNobody:
    @pytest.mark.parametrize("command", ["show", "suspend", "reactivate", "unlock"])
    @pytest.mark.parametrize("login", ["nobody", "nobody@example.com", ABSENT_ID, "", "!"])
    def test_nobody(self, run, command, login):
        """Where nobody is meant, one line says so."""
        result = run(command, login)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1


class TestTables:
    @pytest.mark.parametrize(
        "words", [("list",), ("show", "jane"), ("schemes",), ("unlock", "jane"), ("sweep",)]
    )
    def test_are_missing(self, nowhere, words):
        """Without tables one line says what to do."""
        result = nowhere(*words)

        assert result.exit_code == 1
        assert result.output.count("\n") == 1
        assert "`roster dynamodb create` makes missing tables." in result.output


class TestSweep:
    def test_nothing_to_do(self, run):
        """Without left-over rows it says so."""
        assert run("sweep").output == "0 left over\n"
