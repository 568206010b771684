"""`make run` on a machine for which dynoxide has no binary, and with an engine of one's own."""

import signal

import pytest

from flask_pynamodb.local import Engine
from tests.support.person import PASSWORD
from tests.support.process_harness import PROJECT, ProcessHarness, Running, free_port, only_line

STAMP = "tools/local-dynamodb/fallback/.venv/stamp"
ENGINE = PROJECT / "tools/local-dynamodb/fallback/engine"
needs_fallback = pytest.mark.skipif(
    not (PROJECT / STAMP).is_file(), reason="`make fallback-engine` has not installed it"
)


def make_run(harness: ProcessHarness, **settings: str) -> Running:
    """Start `make run` as on a Mac, and wait until it is ready."""
    port = free_port()
    assignments = [f"PORT={port}", f"DATA={harness.data}", "PLATFORM=Darwin-arm64"]
    running = harness.make("-o", STAMP, "run", *assignments, port=port, **settings)
    return running.until_ready()


@needs_fallback
class TestFallback:
    def test_data_are_kept(self, harness: ProcessHarness):
        """A line says what differs; what was changed before a stop is there after it."""
        make = make_run(harness)
        ada = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        created = make.call("POST", "/v1/users", ada)
        make.send(signal.SIGTERM).ended()
        again = make_run(harness).sign_in("ada")

        assert "The engine is ministack" in make.said
        assert (created.status, again.status) == (201, 201)
        assert again.body["user"]["id"] == created.body["id"]

    def test_no_process_is_left(self, harness: ProcessHarness):
        """The engine ends with the service."""
        make_run(harness).send(signal.SIGTERM).ended()

        assert harness.is_empty()

    def test_no_process_is_left_after_a_kill(self, harness: ProcessHarness):
        """The engine ends when the service is killed."""
        make_run(harness).send(signal.SIGKILL).ended()

        assert harness.is_empty()

    def test_folder_in_use(self, harness: ProcessHarness):
        """A second service does not open the folder of the first one."""
        make_run(harness)
        status, said = harness.run_forked(
            "serve",
            "--local",
            "--data",
            str(harness.data),
            "--port",
            str(free_port()),
            DYNAMODB_ENGINE=str(ENGINE),
        )

        assert status == 1
        assert "is in use by another process" in only_line(said)

    def test_folder_of_dynoxide(self, harness: ProcessHarness):
        """A folder with tables of the other engine is not opened as an empty one."""
        harness.data.mkdir(mode=0o700)
        (harness.data / "dynamodb.sqlite").touch()
        status, said = harness.run_forked(
            "serve",
            "--local",
            "--data",
            str(harness.data),
            "--port",
            str(free_port()),
            DYNAMODB_ENGINE=str(ENGINE),
        )

        assert status == 1
        assert "has tables of another engine" in only_line(said)

    def test_commands(self, harness: ProcessHarness):
        """`roster users --local` reaches the data, also while it serves."""
        make_run(harness)
        status, said = harness.run_forked("users", "--local", "--data", str(harness.data), "list")

        assert status == 0
        assert "john@example.com" in said


class TestOwnEngine:
    def test_host(self, harness: ProcessHarness, dynamodb_engine: Engine):
        """With DYNAMODB_HOST no engine is started; make installs none."""
        host = {"DYNAMODB_HOST": dynamodb_engine.host, "DYNAMODB_TABLE_PREFIX": "own-engine-"}
        make = make_run(harness, **host)

        assert f"The tables are at DYNAMODB_HOST, {dynamodb_engine.host}" in make.said
        assert make.sign_in("john").status == 201
        assert [command for command in harness.left() if "dynoxide" in command] == []

    @pytest.mark.parametrize("name", ["DYNAMODB_HOST", "DYNAMODB_ENGINE"])
    def test_nothing_to_install(self, harness: ProcessHarness, name: str):
        """With an engine of one's own make installs neither of ours."""
        make = harness.make("-n", "run", "PLATFORM=Darwin-arm64", **{name: "anything"})
        make.ended()

        assert "fallback" not in make.said
        assert "npm" not in make.said
