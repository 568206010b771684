"""Commands with --local: the data of local mode, while it runs and afterwards."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import ProcessHarness, only_line


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[ProcessHarness]:
    with contextlib.closing(ProcessHarness(tmp_path)) as harness:
        yield harness


@pytest.fixture
def run(harness: ProcessHarness) -> Callable[..., tuple[int, str]]:
    """Run `roster GROUP --local --data DIR COMMAND`."""

    def run_command(group: str, *command: str) -> tuple[int, str]:
        status, output = harness.run_forked(group, "--local", "--data", str(harness.data), *command)
        return status, output

    return run_command


class TestWhileServing:
    def test_list(self, harness, run):
        """The users of the running service are listed."""
        service = harness.serve()
        assert service.sign_up("ada").status == 201

        status, output = run("users", "list")

        assert status == 0
        assert [name in output for name in ("ada", "jane", "john")] == [True] * 3

    def test_suspend(self, harness, run):
        """A change is effective immediately."""
        service = harness.serve()
        token = service.token_of("jane")

        assert run("users", "suspend", "jane")[0] == 0
        assert service.call("GET", "/v1/users/me", token=token).status == 401

    def test_link(self, harness, run):
        """The link of an email leads to the running service."""
        service = harness.serve()

        assert run("users", "reset-password", "jane")[0] == 0
        [email] = (harness.data / "mail").iterdir()
        assert f"http://127.0.0.1:{service.port}/reset-password#token=" in email.read_text()

    @pytest.mark.parametrize(
        "command", [("events", "list", "--user", "john"), ("keys", "status"), ("dynamodb", "check")]
    )
    def test_other_groups(self, harness, run, command):
        """Every group that reads tables has the options."""
        harness.serve()

        assert run(*command)[0] == 0


class TestAfterwards:
    def test_list(self, harness, run):
        """The data of a stopped service are reached, and no engine is left running."""
        harness.serve().stop()

        status, output = run("users", "list")

        assert status == 0
        assert "john" in output
        assert harness.is_empty()

    def test_serves_again(self, harness, run):
        """The folder is free for the next start."""
        harness.serve().stop()
        run("users", "list")

        assert harness.serve().sign_in("john").status == 201


class TestErrors:
    @pytest.mark.parametrize("group, command", [("users", "list"), ("dynamodb", "check")])
    def test_no_data(self, harness, run, group, command):
        """A folder without tables is one line, and stays as it was."""
        status, output = run(group, command)

        assert status == 1
        assert "There is no data in" in only_line(output)
        assert not harness.data.exists()

    def test_data_alone(self, harness):
        """`--data` without `--local` would be ignored."""
        status, output = harness.run_forked("users", "--data", str(harness.data), "list")

        assert status == 2
        assert "--data needs --local" in output
