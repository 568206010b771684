"""The guide to hooks: its module runs in a service, and type checkers accept it."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.documents import DOCS, ROOT, blocks
from tests.support.process_harness import ProcessHarness, last_line

PAGE = DOCS / "hooks.md"
EXAMPLE = ROOT / "examples/hooks/acme_hooks.py"
PATIENCE = 120


class Crm(HTTPServer):
    """A CRM that keeps what it is sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), CrmHandler)
        self.received = []

    @property
    def url(self):
        """The URL that takes users."""
        return f"http://127.0.0.1:{self.server_address[1]}/users"


class CrmHandler(BaseHTTPRequestHandler):
    """Take a user."""

    def do_POST(self):
        """Keep the body."""
        self.server.received.append(
            json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        )
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        """Log nothing."""


@pytest.fixture(scope="module")
def crm():
    """Return a CRM that runs."""
    with Crm() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def settings(crm, tmp_path_factory):
    """Return the settings of a service with the module of the page."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "acme_hooks.py").write_text(blocks(PAGE, "python")[0])
    return {
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "ROSTER_HOOKS": "acme_hooks",
        "ACME_CRM_URL": crm.url,
    }


@pytest.fixture(scope="module")
def service(harness, settings):
    """Return a service with the module of the page."""
    return harness.serve(**settings)


@pytest.fixture(scope="module")
def admin(service):
    """Return the token of an admin."""
    return service.token_of("john")


class TestExample:
    def test_file(self):
        """The page prints the file."""
        assert blocks(PAGE, "python")[0] == EXAMPLE.read_text()

    def test_session(self, service, tmp_path):
        """The requests of the page are answered as the page prints."""
        environment = {**os.environ, "BASE": f"http://127.0.0.1:{service.port}"}
        [script] = blocks(PAGE, "bash")
        answer = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        decoder = json.JSONDecoder()
        refused, end = decoder.raw_decode(answer.stdout)
        created, _ = decoder.raw_decode(answer.stdout[end:].strip())
        printed = json.loads(blocks(PAGE, "json")[0])

        assert answer.returncode == 0, answer.stderr
        assert {name: refused[name] for name in printed} == printed
        assert created["app_metadata"] == {"plan": "trial"}

    def test_crm(self, service, crm):
        """The CRM knows a new user when the response arrives."""
        user = service.sign_up("grace").body

        assert {"id": user["id"], "email": "grace@example.com"} in crm.received

    def test_sign_in(self, service, admin):
        """A user whose subscription has ended cannot sign in, and can once it is renewed."""
        user = service.sign_up("ended").body
        path = f"/v1/users/{user['id']}"
        service.call("PATCH", path, {"app_metadata": {"plan": "ended"}}, admin)
        refused = service.sign_in("ended")
        service.call("PATCH", path, {"app_metadata": {"plan": "pro"}}, admin)

        assert refused.status == 422
        assert "subscription has ended" in refused.body["detail"]
        assert service.sign_in("ended").status == 201

    def test_update(self, service, admin):
        """A verified name stays."""
        user = service.sign_up("known", full_name="Ada").body
        path = f"/v1/users/{user['id']}"
        service.call("PATCH", path, {"app_metadata": {"passport_seen": True}}, admin)
        answer = service.call("PATCH", path, {"full_name": "Eve"}, admin)

        assert answer.status == 422
        assert answer.body["errors"][0]["pointer"] == "/full_name"

    def test_check(self, service, harness, settings):
        """`roster check` prints what the page prints."""
        data = ("--local", "--data", str(harness.data))
        status, said = harness.run("check", *data, **settings)

        assert status == 0, said
        assert said.splitlines()[0] in PAGE.read_text()

    def test_crm_is_gone(self, harness, settings):
        """Without the CRM users are registered, and the log says what was missed."""
        free = {**settings, "ACME_CRM_URL": "http://127.0.0.1:9/users"}
        with contextlib.closing(ProcessHarness(harness.folder / "gone", is_covered=False)) as other:
            other.folder.mkdir()
            service = other.serve(**free)
            status = service.sign_up("ada").status
            service.stop()

        assert status == 201
        assert "hook acme_hooks.after_registration failed: it raised an error" in service.said


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Return a function that checks programs as in the project of a user."""
    folder = tmp_path_factory.mktemp("typed")
    source = (
        "import os, sys\nfrom mypy import api\n"
        "said, errors, status = api.run(sys.argv[1:])\nprint(said, errors)\nsys.exit(status)\n"
    )

    def check(text):
        (folder / "program.py").write_text(text)
        return subprocess.run(
            [sys.executable, "-c", source, "--strict", "--follow-imports=silent", "program.py"],
            cwd=folder,
            env={**os.environ, "MYPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return check


class TestTypes:
    def test_example(self, check):
        """The module of the page has no error of types in strict mode."""
        answer = check(blocks(PAGE, "python")[0])

        assert answer.returncode == 0, answer.stdout

    def test_signals(self, check):
        """Nor has the receiver of a signal."""
        answer = check(blocks(PAGE, "python")[1])

        assert answer.returncode == 0, answer.stdout

    def test_errors(self, check):
        """Misspelled fields and wrong results are found before they run."""
        answer = check(
            "from roster.hooks import Additions, Refusal, Registration\n"
            "def before_registration(registration: Registration) -> Additions:\n"
            "    registration.user.mail\n"
            "    registration.user.email = 'x'\n"
            "    raise Refusal('x', feld='email')\n"
            "    return Additions({'plan': 'trial'})\n"
        )

        assert [line.split(":")[1] for line in answer.stdout.splitlines()[:3]] == ["3", "4", "5"]


class TestStart:
    @pytest.mark.parametrize(
        "text, said",
        [
            (
                "def before_registraton(registration): ...",
                "Error: ROSTER_HOOKS: wrong_hooks is not accepted: before_registraton is never"
                " called: did you mean before_registration?.",
            ),
            ("async def before_update(update): ...", "before_update is asynchronous"),
            ("import missing_crm", "No module named 'missing_crm'"),
        ],
    )
    def test_fault(self, harness, tmp_path, text, said):
        """A module that is not accepted stops the start with one line and status 1."""
        (tmp_path / "wrong_hooks.py").write_text(text)
        path = f"{tmp_path}{os.pathsep}{ROOT}"
        status, output = harness.run(
            "serve", "--local", "--data", str(tmp_path / "data"), "--port", "20001",
            PYTHONPATH=path, ROSTER_HOOKS="wrong_hooks",
        )  # fmt: skip

        assert status == 1
        assert said in last_line(output)

    def test_working_directory(self, harness):
        """A module in the working directory is not run, not even by `python -m`."""
        (harness.folder / "lurking.py").write_text("print('lurking')")
        program = "import sys; sys.path.insert(0, ''); from roster.cli import main; main()"
        running = harness.start(
            sys.executable,
            "-c",
            program,
            "serve",
            "--local",
            PYTHONPATH=str(ROOT),
            ROSTER_HOOKS="lurking",
        )

        assert running.ended() == 1
        assert "there is no module lurking" in last_line(running.said)
