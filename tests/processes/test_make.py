"""`make run`: the service as started in a fresh clone of the project."""

import os
import signal
from collections.abc import Sequence

import pytest

from tests.support.process_harness import ProcessHarness, Running, free_port, wait_for

# How a shell script starts background jobs, and nohup its command.
AS_BACKGROUND_JOB = ("sh", "-c", 'trap "" HUP INT QUIT; exec "$@"', "sh")


def start_make_run(harness: ProcessHarness, by: Sequence[str] = ()) -> Running:
    """Start `make run` on the harness's data, without waiting until it is ready."""
    port = free_port()
    return harness.make("run", f"PORT={port}", f"DATA={harness.data}", port=port, by=by)


class TestRun:
    def test_command(self, harness: ProcessHarness):
        """`make run` replaces the shell by `roster serve --local`, so that signals reach it."""
        make = harness.make("-n", "run", "PORT=9000", "DATA=/some/dir")

        assert make.ended() == 0
        assert " ".join(make.said.split()).endswith(
            '/bin/roster serve --local --with-make --port 9000 --data "/some/dir"'
        )
        assert "exec " in make.said

    def test_serves(self, harness: ProcessHarness):
        """The demo users can sign in, and the data is in the folder of DATA."""
        harness.data = harness.folder / "data with spaces"
        make = start_make_run(harness).until_ready()

        assert make.sign_in("john").status == 201
        assert (harness.data / "dynamodb.sqlite").exists()

    @pytest.mark.parametrize(
        "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL]
    )
    def test_make_is_stopped(self, harness: ProcessHarness, number: signal.Signals):
        """Any signal that ends make ends the service: service managers know only make's process."""
        make = start_make_run(harness).until_ready()

        assert make.send(number).ended() != 0
        assert harness.is_empty()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_process_group_is_stopped(self, harness: ProcessHarness, number: signal.Signals):
        """Ctrl-C in a terminal reaches make and the service at the same time."""
        make = start_make_run(harness).until_ready()
        os.killpg(make.process.pid, number)
        make.ended()

        assert harness.is_empty()
        assert "Traceback" not in make.said

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_during_the_start(self, harness: ProcessHarness, number: signal.Signals):
        """Make can be stopped before the service has looked up its parent process."""
        make = start_make_run(harness)
        wait_for(lambda: any("roster" in command for command in harness.left()), "it is started")
        make.send(number).ended()

        assert harness.is_empty()

    def test_in_the_background(self, harness: ProcessHarness):
        """Signals that make ignores from the start do not stop the service."""
        make = start_make_run(harness, by=AS_BACKGROUND_JOB).until_ready()
        make.send(signal.SIGHUP).send(signal.SIGQUIT).send(signal.SIGINT)

        assert make.sign_in("john").status == 201
        assert make.send(signal.SIGTERM).ended() != 0
        assert harness.is_empty()

    def test_port_is_taken(self, harness: ProcessHarness, taken_port: int):
        """Make fails, and its output starts with the reason."""
        make = harness.make("run", f"PORT={taken_port}", f"DATA={harness.data}")

        assert make.ended() == 2
        assert make.said.startswith(
            f"Error: Port {taken_port} of 127.0.0.1 is in use."
            " Choose another one with `make run PORT=...`."
        )

    def test_twice_in_a_row(self, harness: ProcessHarness):
        """The second start serves the data of the first one."""
        first = start_make_run(harness).until_ready()
        first.sign_up("ada")
        first.send(signal.SIGTERM).ended()
        harness.is_empty()

        assert start_make_run(harness).until_ready().sign_in("ada").status == 201
