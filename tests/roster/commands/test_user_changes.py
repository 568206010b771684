"""`roster users create`, `delete`, `promote`, `demote`, `roles`, `sessions`."""

import json

import pytest

from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_users):
    """Run a command of `roster users`."""
    return run_users


def user_of(run, login):
    """Return a user as `roster users show` does."""
    return json.loads(run("show", login, "--json").stdout)["user"]


class TestCreate:
    def test_password_is_prompted_for(self, run, client):
        """The user can sign in and is no admin; the password is never shown."""
        result = run("create", "Ada", "ada@example.com", input=f"{PASSWORD}\n{PASSWORD}\n")
        signed_in = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert result.exit_code == 0
        assert "created ada, " in result.output
        assert PASSWORD not in result.output
        assert signed_in.json["user"]["roles"] == ["user"]

    def test_without_username(self, run):
        """A user without a username is named by the address in the output of every command."""
        created = run("create", "ada@example.com", "--no-password")
        suspended = run("suspend", "ada@example.com")
        deleted = run("delete", "ada@example.com", "--yes")

        assert "created ada@example.com, " in created.output
        assert suspended.output == "ada@example.com is suspended\n"
        assert "deleted ada@example.com, " in deleted.output

    def test_too_many_arguments(self, run):
        """More than a username and an address are an error of use."""
        result = run("create", "ada", "eve", "ada@example.com", "--no-password")

        assert result.exit_code == 2
        assert "unexpected extra argument" in result.output

    def test_options(self, run):
        """Name, role and a verified address can be given."""
        options = ("--full-name", "Ada Lovelace", "--admin", "--verified", "--password-stdin")
        run("create", "ada", "ada@example.com", *options, input=f"{PASSWORD}\n")
        user = user_of(run, "ada")

        assert (user["full_name"], user["roles"]) == ("Ada Lovelace", ["admin"])
        assert user["email_verified"]

    def test_without_password(self, run, client):
        """A user without a password exists, and no password signs it in."""
        result = run("create", "ada", "ada@example.com", "--no-password")
        shown = json.loads(run("show", "ada", "--json").stdout)
        signed_in = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert result.exit_code == 0
        assert shown["password"] == "no password"
        assert signed_in.status_code == 401

    def test_reserved_username(self, run):
        """Operators may assign reserved usernames."""
        assert run("create", "support", "s@example.com", "--no-password").exit_code == 0

    @pytest.mark.parametrize(
        ("username", "email", "reason"),
        [("a", "ada@example.com", "3 to 32 letters"), ("ada", "nonsense", "@-sign")],
    )
    @pytest.mark.parametrize("option", ["--no-password", "--password-stdin"])
    def test_rejected(self, run, username, email, reason, option):
        """Rejected values give one line and exit status 1, and leave nothing behind."""
        result = run("create", username, email, option, input=f"{PASSWORD}\n")

        assert result.exit_code == 1
        assert reason in result.output
        assert result.output.count("\n") == 1
        assert json.loads(run("list", "--json").stdout) == []

    def test_taken(self, run, jane):
        """A taken username is one line."""
        result = run("create", "jane", "other@example.com", "--no-password")

        assert (result.exit_code, result.output.count("\n")) == (1, 1)

    def test_contradiction(self, run):
        """Two ways to set a password contradict each other."""
        result = run("create", "ada", "a@example.com", "--no-password", "--password-stdin")

        assert result.exit_code == 2

    def test_empty_stdin(self, run):
        """An empty password is rejected like any short one."""
        result = run("create", "ada", "a@example.com", "--password-stdin", input="")

        assert result.exit_code == 1
        assert "at least 15 characters" in result.output


class TestDelete:
    def test_confirmed(self, run, john, jane):
        """The user is named, and gone after a yes."""
        result = run("delete", "jane", input="y\n")

        assert f"Delete jane, jane@example.com, {jane.id}?" in result.output
        assert jane.get("/v1/users/me").status_code == 401
        assert john.get(jane.path).status_code == 404

    def test_declined(self, run, jane):
        """Anything but a yes deletes nothing."""
        result = run("delete", "jane", input="\n")

        assert result.exit_code == 1
        assert jane.get("/v1/users/me").status_code == 200

    def test_without_a_question(self, run, jane):
        """--yes does not ask."""
        assert run("delete", jane.id, "--yes").output == f"deleted jane, {jane.id}\n"

    def test_last_admin(self, run, john):
        """The last active admin cannot be deleted."""
        result = run("delete", "john", "--yes")

        assert result.exit_code == 1
        assert "active admin" in result.output
        assert john.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize("login", ["unknown", ABSENT_ID])
    def test_unknown(self, run, login):
        """An unknown user is one line, without a question."""
        result = run("delete", login)

        assert (result.exit_code, result.output.count("\n")) == (1, 1)


class TestRoles:
    def test_promote(self, run, jane):
        """The user is an admin from the next request on; repeating it changes nothing."""
        run("promote", "jane")
        result = run("promote", "jane")

        assert result.output == "jane has the roles admin, user\n"
        assert jane.get("/v1/users").status_code == 200

    def test_demote(self, run, john, jane):
        """The user is no admin any more; repeating it changes nothing."""
        run("promote", "jane")
        run("demote", "jane")
        result = run("demote", "jane")

        assert result.output == "jane has the roles user\n"
        assert jane.get("/v1/users").status_code == 403

    def test_only_role(self, run, john, register):
        """An admin without another role becomes an ordinary user."""
        run("create", "eve", "eve@example.com", "--admin", "--no-password")

        assert run("demote", "eve").output == "eve has the roles user\n"

    def test_last_admin(self, run, john):
        """The last active admin stays one."""
        result = run("demote", "john")

        assert result.exit_code == 1
        assert john.get("/v1/users").status_code == 200


class TestSessions:
    def test_list(self, run, jane):
        """The active sessions are listed, without their tokens."""
        result = run("sessions", "jane", "--json")
        [listed] = jane.get("/v1/sessions").json["items"]
        [shown] = json.loads(result.stdout)

        assert shown["id"] == listed["id"]
        assert (shown["amr"], shown["ip"]) == (listed["amr"], listed["ip"])
        assert jane.token not in result.stdout

    def test_lines(self, run, jane):
        """In a pipe there is a line for each session."""
        head, row = (line.split("\t") for line in run("sessions", "jane").stdout.splitlines())

        assert head[0] == "id"
        assert len(row) == len(head)

    def test_end_one(self, run, jane, second_session):
        """One session ends, the other stays."""
        other = second_session(jane)
        [ended] = [
            row["id"] for row in jane.get("/v1/sessions").json["items"] if not row["current"]
        ]
        result = run("sessions", "jane", "--end", ended, "--json")

        assert len(json.loads(result.stdout)) == 1
        assert jane.get("/v1/users/me").status_code == 200
        assert other.get("/v1/users/me").status_code == 401

    def test_end_all(self, run, jane):
        """All sessions end at once."""
        result = run("sessions", "jane", "--end-all", "--json")

        assert json.loads(result.stdout) == []
        assert jane.get("/v1/users/me").status_code == 401

    @pytest.mark.parametrize("session_id", ["nonsense", "0" * 64])
    def test_unknown_session(self, run, jane, session_id):
        """A session that the user does not have is one line and exit status 1."""
        result = run("sessions", "jane", "--end", session_id)

        assert (result.exit_code, result.output.count("\n")) == (1, 1)


class TestRolesCommand:
    def test_give_and_take(self, run, jane):
        """Roles are given and taken in one step, and shown."""
        result = run("roles", "jane", "--add", "auditor", "--add", "support", "--remove", "user")

        assert result.stdout == "jane has the roles auditor, support\n"
        assert user_of(run, "jane")["roles"] == ["auditor", "support"]

    def test_show(self, run, jane):
        """Without options the roles are shown, and nothing changes."""
        before = user_of(run, "jane")

        assert run("roles", "jane").stdout == "jane has the roles user\n"
        assert user_of(run, "jane") == before

    def test_unknown(self, run, jane):
        """An unknown role is rejected with the known ones."""
        result = run("roles", "jane", "--add", "owner")

        assert result.exit_code == 1
        assert "The roles are admin, user, auditor, support." in result.stderr
        assert user_of(run, "jane")["roles"] == ["user"]

    def test_last_admin(self, run, john):
        """At least one active admin stays."""
        result = run("roles", "john", "--remove", "admin")

        assert result.exit_code == 1
        assert user_of(run, "john")["roles"] == ["admin"]

    def test_contradiction(self, run, jane):
        """A role is not given and taken at once."""
        result = run("roles", "jane", "--add", "support", "--remove", "support")

        assert result.exit_code == 2
        assert "--add contradicts --remove: support." in result.stderr

    def test_create(self, run):
        """A new user has the roles that are named."""
        options = ("--role", "support", "--role", "user", "--no-password")
        run("create", "ada", "ada@example.com", *options)

        assert user_of(run, "ada")["roles"] == ["support", "user"]

    def test_list(self, run, jane, make_app):
        """Users with a role are found, also with one that is no longer in the settings."""
        former = make_app(roles=("billing",))
        with former.app_context():
            accounts = former.extensions["roster"].accounts
            accounts.update(accounts.get(jane.id), {"roles": ["billing"]})

        [row] = json.loads(run("list", "--role", "billing", "--json").stdout)
        assert row["username"] == "jane"

    def test_list_of_no_role(self, run, john):
        """A text that cannot be a role is rejected instead of finding no user."""
        result = run("list", "--role", "Admin")

        assert result.exit_code == 2
        assert "A role has 1 to 32 letters" in result.stderr
