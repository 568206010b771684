"""The image serves as an unprivileged user on a read-only file system, and stops cleanly."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.container import PATIENCE, Image, Started
from tests.support.person import PASSWORD
from tests.support.process_harness import call, free_port, wait_for

WRITES = """
import errno, os
for path in ("/x", "/tmp/x", "/opt/roster/x", "/var/tmp/x", "/run/x"):
    try:
        open(path, "w")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
ADA = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
Serve = Callable[..., tuple[Started, int]]


def is_ready(port: int) -> bool:
    try:
        return call(port, "GET", "/health/ready").status == 200
    except OSError:
        return False


@pytest.fixture
def serve(image: Image, settings, tmp_path) -> Iterator[Serve]:
    """Return a function that starts the image with its own command, and a port in addition."""
    running = []

    def start(**more: Any) -> tuple[Started, int]:
        port = free_port()
        command = (*image.config["Entrypoint"], *image.config["Cmd"], "--port", str(port))
        with (tmp_path / "output").open("w") as output:
            running.append(image.start(*command, output=output.fileno(), **settings, **more))
        wait_for(lambda: is_ready(port), (tmp_path / "output").read_text() or "it is ready")
        return running[-1], port

    yield start
    for one in running:
        one.process.kill()
        one.process.wait(PATIENCE)


class TestRun:
    def test_file_system(self, image):
        """The set-up of these tests is what it claims: nothing can be written."""
        assert image.run("python", "-c", WRITES).stdout.split() == ["EROFS"] * 5

    def test_user(self, serve):
        """The service is process 1 of its namespace, and has no capabilities."""
        started, _ = serve()
        status = Path(f"/proc/{started.pid}/status").read_text()
        lines = dict(line.split(":", 1) for line in status.splitlines())

        assert lines["NSpid"].split()[-1] == "1"
        assert int(lines["CapEff"], 16) == 0

    def test_serves(self, serve):
        """A user signs up and signs in."""
        _, port = serve(ROSTER_REQUIRE_VERIFIED_EMAIL="off")
        signed_up = call(port, "POST", "/v1/users", ADA)
        signed_in = call(port, "POST", "/v1/sessions", {"login": "ada", "password": PASSWORD})

        assert (signed_up.status, signed_in.status) == (201, 201)

    def test_pages(self, serve):
        """Pages and the documentation of the API have their files."""
        _, port = serve()

        assert call(port, "GET", "/openapi.json").status == 200

    def test_health_check(self, image, serve):
        """The check of the image passes while the service lives, and fails otherwise."""
        _, port = serve()
        _, *check = image.config["Healthcheck"]["Test"]
        live = [part.replace("8080", str(port)) for part in check]
        dead = [part.replace("8080", str(free_port())) for part in check]

        assert image.run(*live).returncode == 0
        assert image.run(*dead).returncode != 0

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
    def test_stop(self, serve, number):
        """As process 1 it ends with status 0."""
        started, port = serve()
        os.kill(started.pid, number)

        assert started.process.wait(PATIENCE) == 0
        assert not is_ready(port)

    def test_metrics(self, serve):
        """Metrics of several workers need a folder for temporary files."""
        metrics = free_port()
        serve(has_tmp=True, ROSTER_METRICS_PORT=str(metrics))
        with urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=PATIENCE) as response:
            text = response.read().decode()

        assert "\nroster_workers " in text

    def test_metrics_without_a_folder(self, image, settings):
        """Without one the service does not start, and says what is needed."""
        port = {"ROSTER_METRICS_PORT": str(free_port())}
        command = ("roster", "serve", "--port", str(free_port()))
        answer = image.run(*command, **settings, **port)

        assert answer.returncode == 1
        assert "Error: ROSTER_METRICS_PORT needs a folder for temporary files" in answer.stdout

    def test_command(self, image, settings):
        """Other commands run in the image, too."""
        answer = image.run("roster", "dynamodb", "check", **settings)

        assert (answer.returncode, answer.stdout) == (0, "All tables match the models.\n")

    def test_error(self, image, settings):
        """A wrong setting is one line and status 1."""
        answer = image.run("roster", "serve", **{**settings, "ROSTER_WORKERS": "none"})

        assert answer.returncode == 1
        assert len(answer.stdout.splitlines()) == 1
