"""`make run`: the service as somebody starts it who has just cloned the project."""

import os
import signal
from collections.abc import Sequence

import pytest

from tests.support.process_harness import Running, Stage, free_port, wait_for

# How a shell script starts what it puts an ampersand behind, and nohup what it is given.
IN_THE_BACKGROUND = ("sh", "-c", 'trap "" HUP INT QUIT; exec "$@"', "sh")


def begin(stage: Stage, by: Sequence[str] = ()) -> Running:
    """Start `make run` on the stage's data; the service is not ready yet."""
    port = free_port()
    return stage.make("run", f"PORT={port}", f"DATA={stage.data}", port=port, by=by)


class TestRun:
    def test_command(self, stage: Stage):
        """It is `roster serve --local`, in place of the shell, so that signals reach it."""
        make = stage.make("-n", "run", "PORT=9000", "DATA=/some/dir")

        assert make.ended() == 0
        assert " ".join(make.said.split()).endswith(
            '/bin/roster serve --local --with-make --port 9000 --data "/some/dir"'
        )
        assert "exec " in make.said

    def test_serves(self, stage: Stage):
        """The demo users sign in, and the data are where DATA says."""
        stage.data = stage.folder / "data with spaces"
        make = begin(stage).until_ready()

        assert make.sign_in("john").status == 201
        assert (stage.data / "dynamodb.sqlite").exists()

    @pytest.mark.parametrize(
        "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL]
    )
    def test_only_make_is_told_to_stop(self, stage: Stage, number: signal.Signals):
        """Whatever ends make ends the service: a service manager knows make's process only."""
        make = begin(stage).until_ready()

        assert make.send(number).ended() != 0
        assert stage.is_empty()

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_everybody_is_told_to_stop(self, stage: Stage, number: signal.Signals):
        """Ctrl-C in a terminal reaches make and the service at once."""
        make = begin(stage).until_ready()
        os.killpg(make.process.pid, number)
        make.ended()

        assert stage.is_empty()
        assert "Traceback" not in make.said

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_during_the_start(self, stage: Stage, number: signal.Signals):
        """Make may be told so early that the service does not know yet who has started it."""
        make = begin(stage)
        wait_for(lambda: any("roster" in command for command in stage.left()), "it is started")
        make.send(number).ended()

        assert stage.is_empty()

    def test_in_the_background(self, stage: Stage):
        """Signals that make ignores from the start are not taken for an order to stop."""
        make = begin(stage, by=IN_THE_BACKGROUND).until_ready()
        make.send(signal.SIGHUP).send(signal.SIGQUIT).send(signal.SIGINT)

        assert make.sign_in("john").status == 201
        assert make.send(signal.SIGTERM).ended() != 0
        assert stage.is_empty()

    def test_port_is_taken(self, stage: Stage, taken_port: int):
        """Make fails, and what it shows first is the reason."""
        make = stage.make("run", f"PORT={taken_port}", f"DATA={stage.data}")

        assert make.ended() == 2
        assert make.said.startswith(f"Error: Port {taken_port} of 127.0.0.1 is taken")

    def test_twice_in_a_row(self, stage: Stage):
        """The second start has what the first one left."""
        first = begin(stage).until_ready()
        first.sign_up("ada")
        first.send(signal.SIGTERM).ended()
        stage.is_empty()

        assert begin(stage).until_ready().sign_in("ada").status == 201
