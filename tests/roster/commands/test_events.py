"""`roster events` on the tables of the test."""

import json

import pytest

from models import User
from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_roster):
    """Run `roster events list`."""
    return lambda *options: run_roster("events", "list", *options)


def types(result):
    """Return the types in the tab-separated output."""
    assert result.exit_code == 0, result.output
    _, *rows = [line.split("\t") for line in result.stdout.splitlines()]
    return [row[1] for row in rows]


class TestList:
    def test_user(self, run, jane):
        """A user is found by ID, username and email address."""
        expected = ["session.opened", "user.registered"]

        assert [types(run("--user", name)) for name in (jane.id, "jane", "jane@example.com")] == [
            expected
        ] * 3

    def test_deleted_user(self, run, john, jane):
        """M8: an operator reads the events of a deleted user, by its ID."""
        john.delete(jane.path)

        assert types(run("--user", jane.id))[0] == "user.deleted"
        assert types(run("--user", jane.id, "--actor", "john")) == ["user.deleted"]

    def test_actor(self, run, john, jane):
        """What an admin did to others and to itself is one list."""
        john.patch(jane.path, json={"full_name": "Jane R."})

        assert types(run("--actor", "john")) == ["user.updated", "session.opened"]
        assert types(run("--actor", "john", "--type", "user.updated")) == ["user.updated"]

    def test_json(self, run, jane):
        """--json prints events as the API returns them to admins."""
        [event] = json.loads(run("--user", "jane", "--limit", "1", "--json").stdout)

        assert (event["user_id"], event["type"]) == (jane.id, "session.opened")
        assert (event["ip"], event["amr"]) == ("127.0.0.1", ["pwd"])

    def test_limit_spans_pages(self, app, run, jane):
        """More events than a page are read page by page."""
        with app.app_context():
            service = app.extensions["roster"].accounts
            for number in range(120):
                service.update(User.get(jane.id), {"full_name": f"Jane {number}"})

        assert len(types(run("--user", "jane", "--limit", "110"))) == 110
        assert len(types(run("--user", "jane", "--limit", "1000"))) == 122

    @pytest.mark.parametrize("actor", [ABSENT_ID, "0" * 64])
    def test_nothing(self, run, actor):
        """An actor that did nothing is an empty table."""
        assert types(run("--actor", actor)) == []

    def test_unknown_login(self, run):
        """An unknown username is one line and a non-zero exit status."""
        result = run("--user", "ghost")

        assert result.exit_code == 1
        assert result.output == "Error: There is no user with this username or email address.\n"

    def test_neither(self, run):
        """Without a user and an actor the command says what is missing."""
        result = run()

        assert result.exit_code == 2
        assert "Name --user or --actor, or both, or --client." in result.output

    def test_client_of_a_user(self, run):
        """Events of anonymous clients are no events of a user."""
        result = run("--client", "192.0.2.7", "--user", ABSENT_ID)

        assert result.exit_code == 2
        assert "--client does not go with" in result.output

    def test_malformed_client(self, run):
        """A client is an IP address."""
        result = run("--client", "example.com")

        assert result.exit_code == 2
        assert "It must be an IP address." in result.output

    def test_without_tables(self, make_app, config, run_roster):
        """Missing tables are one line that says what to do."""
        app = make_app(dynamodb={**config.dynamodb, "DYNAMODB_TABLE_PREFIX": "none-"})
        result = run_roster("events", "list", "--user", ABSENT_ID, app=app)

        assert result.exit_code == 1
        assert "roster dynamodb create" in result.output
        assert result.output.count("\n") == 1
