"""`roster clients` on the tables of the test."""

import json

import pytest

from tests.support.responses import ABSENT_ID


@pytest.fixture
def run(run_roster):
    """Run a command of `roster clients`: `run("list")`."""
    return lambda *arguments: run_roster("clients", *arguments)


@pytest.fixture
def billing(run):
    """Return a client as its creation has shown it."""
    options = ("--scope", "introspect", "--audience", "https://billing.example.com", "--json")
    return json.loads(run("create", "billing", *options).stdout)


@pytest.fixture
def authenticates(app):
    """Return a function that returns the ID of the client of a secret."""

    def find(secret):
        with app.app_context():
            return app.extensions["roster"].clients.authenticate(secret).id

    return find


class TestCreate:
    def test_text(self, run, authenticates):
        """The ID and the secret are two lines for a configuration."""
        result = run("create", "billing")

        words = dict(line.split("\t") for line in result.stdout.splitlines())
        assert result.exit_code == 0
        assert authenticates(words["client_secret"]) == words["client_id"]

    def test_json(self, billing, authenticates):
        """--json prints the client as the API does."""
        assert authenticates(billing["secret"]) == billing["id"]
        assert (billing["scopes"], billing["audience"]) == (
            ["introspect"],
            "https://billing.example.com",
        )

    def test_taken_audience(self, run, billing):
        """An error is one line, and the status is 1."""
        result = run("create", "invoices", "--audience", billing["audience"])

        assert result.exit_code == 1
        assert result.stderr == "Error: Another client has this audience. Choose another URI.\n"


class TestList:
    def test_text(self, run, billing):
        """Each client is a line, without secrets."""
        [_, line] = run("list").stdout.splitlines()

        assert line.split("\t")[:4] == [
            billing["id"],
            "billing",
            "introspect",
            "https://billing.example.com",
        ]
        assert billing["secret"] not in line

    def test_limit(self, run, billing):
        """--limit is the number of clients."""
        run("create", "invoices")

        [newest] = json.loads(run("list", "--limit", "1", "--json").stdout)
        assert newest["name"] == "invoices"


class TestShow:
    def test_secrets(self, run, billing):
        """A client is shown with the IDs of its secrets."""
        result = run("show", billing["id"].upper())

        assert result.exit_code == 0
        assert billing["secrets"][0]["id"] in result.stdout
        assert billing["secret"] not in result.stdout

    @pytest.mark.parametrize("command", ["show", "rotate", "disable", "enable", "delete"])
    def test_unknown(self, run, command):
        """A client that does not exist is one line on standard error."""
        result = run(command, ABSENT_ID)

        assert (result.exit_code, result.stderr) == (1, "Error: There is no client with this ID.\n")


class TestRotate:
    def test_replaces(self, run, billing, authenticates):
        """A secret is added, then the other one is revoked."""
        added = json.loads(run("rotate", billing["id"], "--json").stdout)
        revoked = run("rotate", billing["id"], "--revoke", billing["secrets"][0]["id"])

        assert authenticates(added["secret"]) == billing["id"]
        assert revoked.stdout == f"revoked {billing['secrets'][0]['id']}\n"
        [left] = json.loads(run("show", billing["id"], "--json").stdout)["secrets"]
        assert left["id"] == added["id"]


class TestDisable:
    def test_and_enable(self, run, billing):
        """A client is disabled and enabled again."""
        said = [run(command, billing["id"]).stdout for command in ("disable", "enable")]

        assert said == ["billing is disabled\n", "billing is enabled\n"]


class TestDelete:
    def test_deleted(self, run, billing):
        """A deleted client is no longer listed."""
        result = run("delete", billing["id"])

        assert result.stdout == f"deleted {billing['id']}\n"
        assert json.loads(run("list", "--json").stdout) == []
