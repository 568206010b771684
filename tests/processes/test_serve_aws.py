"""`roster` with a DynamoDB from the settings: rejected starts, serving, table commands."""

from importlib.metadata import version
from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from tests.support.engine import local_engine
from tests.support.process_harness import (
    ROSTER,
    ProcessHarness,
    Running,
    free_port,
    last_line,
    only_line,
    wait_for,
)
from tests.support.secret_key import SECRET_KEY

# Complete settings; each test of a rejected start removes one or sets a wrong value.
COMPLETE = {
    "ROSTER_SECRET_KEY": SECRET_KEY,
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    # The metadata service exists only on AWS; waiting for it takes seconds.
    "AWS_EC2_METADATA_DISABLED": "true",
    # The discard port: no request reaches a database.
    "DYNAMODB_HOST": "http://127.0.0.1:9",
}
WRONG = {
    "DYNAMODB_BASE_BACKOFF_MS": "0",
    "DYNAMODB_BILLING_MODE": "CHEAP",
    "DYNAMODB_CONNECT_TIMEOUT_SECONDS": "soon",
    "DYNAMODB_EXTRA_HEADERS": "neither name nor value",
    "DYNAMODB_HOST": "not a URL",
    "DYNAMODB_MAX_POOL_CONNECTIONS": "0",
    "DYNAMODB_MAX_RETRY_ATTEMPTS": "-1",
    "DYNAMODB_READ_CAPACITY_UNITS": "5",
    "DYNAMODB_READ_TIMEOUT_SECONDS": "-1",
    "DYNAMODB_TABLE_PREFIX": "with spaces",
    "DYNAMODB_TRANSPORT": "pigeon",
    "ROSTER_DEMO": "perhaps",
    "ROSTER_PASSWORD_MIN_LENGTH": "7",
    "ROSTER_SESSION_IDLE": "0",
    "ROSTER_SESSION_MAX": "long",
    "ROSTER_SIGNUP": "perhaps",
    "ROSTER_WORKERS": "many",
}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in COMPLETE.items() if key != name}


@pytest.fixture
def settings(dynamodb_engine: Engine) -> dict[str, str]:
    """Settings for the engine that replaces AWS, without any tables."""
    prefix = {"DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-"}
    return {**COMPLETE, **prefix, "DYNAMODB_HOST": dynamodb_engine.host}


def start_serve(harness: ProcessHarness, settings: dict[str, str]) -> Running:
    """Start `roster serve` without waiting until it is ready."""
    port = free_port()
    return harness.start(
        ROSTER, "serve", "--workers", "2", "--port", str(port), port=port, **settings
    )


def rejection(harness: ProcessHarness, settings: dict[str, str]) -> str:
    """Return the one line of output of a rejected start."""
    status, said = harness.run_forked("serve", "--port", str(free_port()), **settings)
    assert status == 1, said
    return only_line(said)


class TestRejectedStart:
    def test_no_secret_key(self, harness: ProcessHarness):
        """Without a secret key the service would sign with a publicly known one."""
        assert "ROSTER_SECRET_KEY is not set" in rejection(harness, without("ROSTER_SECRET_KEY"))

    def test_no_region(self, harness: ProcessHarness):
        """The line says how to set a region."""
        line = rejection(harness, without("AWS_REGION"))

        assert "no region" in line
        assert "DYNAMODB_REGION" in line

    @pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    def test_incomplete_credentials(self, harness: ProcessHarness, name: str):
        """The line says that credentials are missing."""
        assert "redentials" in rejection(harness, without(name))

    def test_no_credentials(self, harness: ProcessHarness):
        """The line says which variables to set."""
        none = {name: text for name, text in COMPLETE.items() if "ACCESS_KEY" not in name}
        line = rejection(harness, none)

        assert "no credentials" in line
        assert "AWS_ACCESS_KEY_ID" in line

    def test_profile_is_unknown(self, harness: ProcessHarness):
        """The line names the unknown profile."""
        assert "unknown" in rejection(harness, {**COMPLETE, "AWS_PROFILE": "unknown"})

    def test_demo_users(self, harness: ProcessHarness):
        """Users with a public password are allowed only in local mode."""
        assert "ROSTER_DEMO" in rejection(harness, {**COMPLETE, "ROSTER_DEMO": "1"})

    @pytest.mark.parametrize("name", WRONG)
    def test_setting_is_wrong(self, harness: ProcessHarness, name: str):
        """A wrong value is rejected with the variable's name."""
        assert name in rejection(harness, {**COMPLETE, name: WRONG[name]})

    def test_dynamodb_is_unreachable(self, harness: ProcessHarness):
        """An unreachable endpoint has another message than missing tables."""
        unreachable = f"http://127.0.0.1:{free_port()}"
        line = rejection(harness, {**COMPLETE, "DYNAMODB_HOST": unreachable})

        assert "not reachable" in line
        assert unreachable in line

    def test_tables_are_missing(self, harness: ProcessHarness, settings: dict[str, str]):
        """The line names the tables and the command that creates them."""
        line = rejection(harness, settings)

        assert f"table {settings['DYNAMODB_TABLE_PREFIX']}users is missing" in line
        assert "`roster dynamodb create`" in line

    def test_port_is_taken(
        self, harness: ProcessHarness, settings: dict[str, str], taken_port: int
    ):
        """The line names the port and the option to change it."""
        status, said = harness.run("serve", "--port", str(taken_port), **settings)

        assert status == 1
        assert f"Port {taken_port} of 127.0.0.1 is in use" in only_line(said)


class TestServe:
    def test_after_creating_the_tables(self, harness: ProcessHarness, settings: dict[str, str]):
        """The first user signs up and signs in; there are no demo users."""
        harness.run_forked("dynamodb", "create", **settings)
        service = start_serve(harness, settings).until_ready()

        assert service.sign_up("ada").status == 201
        assert service.sign_in("ada").status == 201
        assert service.sign_in("john").status == 401
        assert service.stop() == 0
        assert harness.is_empty()

    def test_prints_the_url(self, harness: ProcessHarness, settings: dict[str, str]):
        """The output is one line with the URL and no secret."""
        harness.run_forked("dynamodb", "create", **settings)
        service = start_serve(harness, settings)
        wait_for(lambda: service.said.endswith("\n"), "a line is printed")

        assert f"http://127.0.0.1:{service.port}" in only_line(service.said)
        assert service.stop() == 0

    def test_dynamodb_is_interrupted(self, harness: ProcessHarness, settings: dict[str, str]):
        """Without DynamoDB the service keeps running and is not ready; later it is ready again."""
        port = free_port()
        with local_engine(harness.data, port=port) as engine:
            changed = {**settings, "DYNAMODB_HOST": engine.host}
            harness.run_forked("dynamodb", "create", **changed)
            service = start_serve(harness, changed).until_ready()
        wait_for(lambda: service.call("GET", "/health/ready").status == 503, "the service notices")
        with local_engine(harness.data, port=port):
            service.until_ready()

        assert service.call("GET", "/health/live").status == 200


class TestDynamodb:
    def test_create_twice(self, harness: ProcessHarness, settings: dict[str, str]):
        """Creating existing tables is no error."""
        first, _ = harness.run_forked("dynamodb", "create", **settings)
        second, said = harness.run("dynamodb", "create", **settings)

        assert (first, second) == (0, 0)
        assert last_line(said) == "All tables exist."

    def test_check_before_and_after(self, harness: ProcessHarness, settings: dict[str, str]):
        """The exit status is 1 if tables are missing."""
        before, said = harness.run_forked("dynamodb", "check", **settings)
        harness.run_forked("dynamodb", "create", **settings)
        after, _ = harness.run("dynamodb", "check", **settings)

        assert (before, after) == (1, 0)
        assert "users is missing" in said

    def test_drop(self, harness: ProcessHarness, settings: dict[str, str]):
        """With --yes all tables are dropped without confirmation."""
        harness.run_forked("dynamodb", "create", **settings)
        dropped, said = harness.run("dynamodb", "drop", "--yes", **settings)
        check, _ = harness.run_forked("dynamodb", "check", **settings)

        assert (dropped, check) == (0, 1)
        assert f"{settings['DYNAMODB_TABLE_PREFIX']}users" in said

    def test_drop_without_a_terminal(self, harness: ProcessHarness, settings: dict[str, str]):
        """Without a terminal to confirm, nothing is dropped."""
        harness.run_forked("dynamodb", "create", **settings)
        dropped, _ = harness.run("dynamodb", "drop", **settings)
        check, _ = harness.run_forked("dynamodb", "check", **settings)

        assert (dropped, check) == (1, 0)

    @pytest.mark.parametrize("command", ["create", "check"])
    def test_unreachable(self, harness: ProcessHarness, settings: dict[str, str], command: str):
        """Each command prints one line and no stack trace."""
        unreachable = f"http://127.0.0.1:{free_port()}"
        changed = {**settings, "DYNAMODB_HOST": unreachable}
        status, said = harness.run_forked("dynamodb", command, **changed)

        assert status == 1
        assert unreachable in only_line(said)


class TestOtherCommands:
    def test_help_without_settings(self, harness: ProcessHarness):
        """Without any settings `--help` lists every command and reports no error."""
        status, said = harness.run("--help")

        assert status == 0
        assert "Error" not in said
        for command in ("dynamodb", "openapi", "serve", "users"):
            assert f"\n  {command} " in said

    def test_help_of_a_command_without_settings(self, harness: ProcessHarness):
        """Without any settings the help of a command that needs them is shown."""
        status, said = harness.run_forked("users", "list", "--help")

        assert status == 0
        assert "List users" in said

    def test_version(self, harness: ProcessHarness):
        """`--version` prints the version of Roster."""
        assert harness.run_forked("--version") == (0, f"Roster {version('roster')}\n")

    @pytest.mark.parametrize("command", ["run", "shell", "routes"])
    def test_commands_of_flask(self, harness: ProcessHarness, command: str):
        """Flask's own commands are not commands of Roster."""
        status, said = harness.run_forked(command)

        assert status == 2
        assert f"No such command '{command}'" in said

    @pytest.mark.parametrize("arguments", [("users", "list"), ("dynamodb", "check")])
    def test_missing_setting(self, harness: ProcessHarness, arguments: tuple[str, ...]):
        """A command that needs settings names the missing one in one line."""
        status, said = harness.run_forked(*arguments)

        assert status == 1
        assert "ROSTER_SECRET_KEY" in only_line(said)

    def test_sweep(self, harness: ProcessHarness, settings: dict[str, str]):
        """Without unfinished cleanups there is nothing to do."""
        harness.run_forked("dynamodb", "create", **settings)

        assert harness.run_forked("users", "sweep", **settings) == (0, "cleaned up 0 users\n")

    def test_sweep_without_tables(self, harness: ProcessHarness, settings: dict[str, str]):
        """The command prints one line and no stack trace."""
        status, said = harness.run_forked("users", "sweep", **settings)

        assert status == 1
        assert only_line(said).startswith("Error: ")

    def test_sweep_without_settings(self, harness: ProcessHarness):
        """The command exists; the line names the missing setting."""
        status, said = harness.run("users", "sweep")

        assert status != 0
        assert "ROSTER_SECRET_KEY" in last_line(said)
