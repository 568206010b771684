"""`roster` on a DynamoDB that the settings name: what it refuses, and what it makes."""

from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from tests.support.process_harness import (
    ROSTER,
    Running,
    Stage,
    free_port,
    last_line,
    only_line,
    wait_for,
)

# What is set before each test of a refusal takes something away or makes it wrong.
COMPLETE = {
    "ROSTER_SECRET_KEY": "only for tests",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    # Nobody but AWS's own computers has this service, and asking for it takes seconds.
    "AWS_EC2_METADATA_DISABLED": "true",
    # The discard port: whatever gets so far goes nowhere.
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
    """Settings for the engine that stands in for AWS, where no table has been made yet."""
    own_tables = {"DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-"}
    return {**COMPLETE, **own_tables, "DYNAMODB_HOST": dynamodb_engine.host}


def begin(stage: Stage, settings: dict[str, str]) -> Running:
    """Start `roster serve`; it is not ready yet."""
    port = free_port()
    return stage.start(
        ROSTER, "serve", "--workers", "2", "--port", str(port), port=port, **settings
    )


def refusal(stage: Stage, settings: dict[str, str]) -> str:
    """The one line by which the service refuses to start."""
    status, said = stage.rehearse("serve", "--port", str(free_port()), **settings)
    assert status == 1, said
    return only_line(said)


class TestRefusedStart:
    def test_no_secret_key(self, stage: Stage):
        """Without a key of its own the service would sign with one that others know."""
        assert "ROSTER_SECRET_KEY is not set" in refusal(stage, without("ROSTER_SECRET_KEY"))

    def test_no_region(self, stage: Stage):
        """The line says where a region can be set."""
        line = refusal(stage, without("AWS_REGION"))

        assert "no region" in line
        assert "AWS_REGION" in line

    @pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    def test_half_the_credentials(self, stage: Stage, name: str):
        """The line says that credentials are missing."""
        assert "redentials" in refusal(stage, without(name))

    def test_no_credentials(self, stage: Stage):
        """The line says what can be set."""
        none = {name: text for name, text in COMPLETE.items() if "ACCESS_KEY" not in name}
        line = refusal(stage, none)

        assert "no credentials" in line
        assert "AWS_ACCESS_KEY_ID" in line

    def test_profile_is_unknown(self, stage: Stage):
        """A profile that is nowhere described is named."""
        assert "nobody" in refusal(stage, {**COMPLETE, "AWS_PROFILE": "nobody"})

    def test_demo_users(self, stage: Stage):
        """Users with a public password are for local mode only."""
        assert "ROSTER_DEMO" in refusal(stage, {**COMPLETE, "ROSTER_DEMO": "1"})

    @pytest.mark.parametrize("name", WRONG)
    def test_setting_is_wrong(self, stage: Stage, name: str):
        """A wrong value is refused with the variable's name."""
        assert name in refusal(stage, {**COMPLETE, name: WRONG[name]})

    def test_dynamodb_is_out_of_reach(self, stage: Stage):
        """An endpoint where nobody answers is told from missing tables."""
        nowhere = f"http://127.0.0.1:{free_port()}"
        line = refusal(stage, {**COMPLETE, "DYNAMODB_HOST": nowhere})

        assert "out of reach" in line
        assert nowhere in line

    def test_tables_are_missing(self, stage: Stage, settings: dict[str, str]):
        """The line names the tables and the command that makes them."""
        line = refusal(stage, settings)

        assert f"table {settings['DYNAMODB_TABLE_PREFIX']}users is missing" in line
        assert "`roster dynamodb create`" in line

    def test_port_is_taken(self, stage: Stage, settings: dict[str, str], taken_port: int):
        """The line names the port and the way out."""
        status, said = stage.run("serve", "--port", str(taken_port), **settings)

        assert status == 1
        assert f"Port {taken_port} of 127.0.0.1 is taken" in only_line(said)


class TestServe:
    def test_after_the_tables_were_made(self, stage: Stage, settings: dict[str, str]):
        """The first user signs up and in; nobody else is there."""
        stage.rehearse("dynamodb", "create", **settings)
        service = begin(stage, settings).until_ready()

        assert service.sign_up("ada").status == 201
        assert service.sign_in("ada").status == 201
        assert service.sign_in("john").status == 401
        assert service.stop() == 0
        assert stage.is_empty()

    def test_says_where(self, stage: Stage, settings: dict[str, str]):
        """One line with the URL and no secret."""
        stage.rehearse("dynamodb", "create", **settings)
        service = begin(stage, settings)
        wait_for(lambda: service.said.endswith("\n"), "a line is printed")

        assert f"http://127.0.0.1:{service.port}" in only_line(service.said)
        assert service.stop() == 0

    def test_dynamodb_goes_away(self, stage: Stage, settings: dict[str, str]):
        """The service goes on, says that it is not ready, and is ready again afterwards."""
        with Engine(stage.data) as engine:
            own = {**settings, "DYNAMODB_HOST": engine.host}
            stage.rehearse("dynamodb", "create", **own)
            service = begin(stage, own).until_ready()
        wait_for(lambda: service.call("GET", "/health/ready").status == 503, "it is missed")
        port = int(engine.host.rpartition(":")[2])
        with Engine(stage.data, port=port):
            service.until_ready()

        assert service.call("GET", "/health/live").status == 200


class TestDynamodb:
    def test_create_twice(self, stage: Stage, settings: dict[str, str]):
        """Making tables that are there already is no mistake."""
        first, _ = stage.rehearse("dynamodb", "create", **settings)
        second, said = stage.run("dynamodb", "create", **settings)

        assert (first, second) == (0, 0)
        assert last_line(said) == "All tables are there."

    def test_check_before_and_after(self, stage: Stage, settings: dict[str, str]):
        """The exit status says whether something is missing."""
        before, said = stage.rehearse("dynamodb", "check", **settings)
        stage.rehearse("dynamodb", "create", **settings)
        after, _ = stage.run("dynamodb", "check", **settings)

        assert (before, after) == (1, 0)
        assert "users is missing" in said

    def test_drop(self, stage: Stage, settings: dict[str, str]):
        """With --yes nothing is asked, and nothing is left."""
        stage.rehearse("dynamodb", "create", **settings)
        dropped, said = stage.run("dynamodb", "drop", "--yes", **settings)
        check, _ = stage.rehearse("dynamodb", "check", **settings)

        assert (dropped, check) == (0, 1)
        assert f"{settings['DYNAMODB_TABLE_PREFIX']}users" in said

    def test_drop_without_a_person(self, stage: Stage, settings: dict[str, str]):
        """Where nobody can answer the question nothing is dropped."""
        stage.rehearse("dynamodb", "create", **settings)
        dropped, _ = stage.run("dynamodb", "drop", **settings)
        check, _ = stage.rehearse("dynamodb", "check", **settings)

        assert (dropped, check) == (1, 0)

    @pytest.mark.parametrize("command", ["create", "check"])
    def test_out_of_reach(self, stage: Stage, settings: dict[str, str], command: str):
        """One line and no stack trace, whatever the command."""
        nowhere = f"http://127.0.0.1:{free_port()}"
        own = {**settings, "DYNAMODB_HOST": nowhere}
        status, said = stage.rehearse("dynamodb", command, **own)

        assert status == 1
        assert nowhere in only_line(said)


class TestOtherCommands:
    def test_help_without_settings(self, stage: Stage):
        """Who has set nothing yet can read what there is."""
        status, said = stage.run("--help")

        assert status == 0
        for command in ("dynamodb", "openapi", "routes", "serve", "users"):
            assert f"\n  {command} " in said

    def test_routes(self, stage: Stage):
        """Flask's own commands work; looking at the routes takes no database."""
        status, said = stage.run("routes", **COMPLETE)

        assert status == 0
        assert "/v1/users" in said

    def test_routes_without_settings(self, stage: Stage):
        """A command that needs the app says which setting is missing."""
        status, said = stage.rehearse("routes")

        assert status != 0
        assert "ROSTER_SECRET_KEY" in last_line(said)

    def test_sweep(self, stage: Stage, settings: dict[str, str]):
        """Where nothing was left behind there is nothing to do."""
        stage.rehearse("dynamodb", "create", **settings)

        assert stage.rehearse("users", "sweep", **settings) == (0, "0 left over\n")

    def test_sweep_without_tables(self, stage: Stage, settings: dict[str, str]):
        """One line and no stack trace."""
        status, said = stage.rehearse("users", "sweep", **settings)

        assert status == 1
        assert only_line(said).startswith("Error: ")

    def test_sweep_without_settings(self, stage: Stage):
        """The command is known, the setting is missing."""
        status, said = stage.run("users", "sweep")

        assert status != 0
        assert "ROSTER_SECRET_KEY" in last_line(said)
