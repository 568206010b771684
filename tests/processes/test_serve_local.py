"""`roster serve --local`: the service with its own engine: start, restart, stop, failures."""

import contextlib
import http.client
import os
import signal
import stat
import sys
import threading

import pytest

from tests.support.process_harness import (
    DEMO_PASSWORD,
    HERE,
    PATIENCE,
    ProcessHarness,
    Running,
    free_port,
    last_line,
    only_line,
    wait_for,
)

# Prints the engine's first line and serves GET, but exits at the first DynamoDB request.
FAILING_ENGINE = f"""#!{sys.executable}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class FailingServer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        print("no space left on device", flush=True)
        os._exit(3)

    def log_message(self, *words):
        pass

host, port = sys.argv[2], int(sys.argv[4])
server = HTTPServer((host, port), FailingServer)
print(f"listening on http://{{host}}:{{port}}", flush=True)
server.serve_forever()
"""


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def rejection(harness: ProcessHarness, *arguments: str, **settings: str) -> str:
    """Return the one line of output of a start that is rejected before the engine starts."""
    where = ("--data", str(harness.data), "--port", str(free_port()))
    status, said = harness.run_forked("serve", "--local", *where, *arguments, **settings)
    assert status == 1, said
    return only_line(said)


class ClientsSigningUp:
    """Clients that each sign up users one after the other until connections are rejected."""

    def __init__(self, service: Running, count: int = 8) -> None:
        self.service = service
        self.created: list[str] = []
        self.not_accepted: list[str] = []
        self.unclear: list[str] = []
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def wait_for_created(self, number: int) -> None:
        """Wait until so many users have been created."""
        wait_for(lambda: len(self.created) >= number, f"{number} users have signed up")

    def join(self) -> bool:
        for thread in self.threads:
            thread.join()
        return True

    def _run(self, number: int) -> None:
        with contextlib.suppress(ConnectionRefusedError):
            for index in range(100_000):
                self._sign_up(f"user-{number}-{index}")

    def _sign_up(self, username: str) -> None:
        try:
            response = self.service.sign_up(username)
            (self.created if response.status == 201 else self.unclear).append(username)
        except ConnectionRefusedError:
            raise
        except ConnectionError:
            self.not_accepted.append(username)
        except (OSError, http.client.HTTPException):
            self.unclear.append(username)


class TestFirstStart:
    @pytest.fixture(scope="class")
    @classmethod
    def service(cls, shared_harness: ProcessHarness) -> Running:
        """The service on an empty folder."""
        return shared_harness.serve()

    def test_banner(self, service: Running):
        """The banner has the URLs and the demo credentials."""
        for words in (
            f"http://127.0.0.1:{service.port}\n",
            f"http://127.0.0.1:{service.port}/docs\n",
            "john",
            "jane",
            DEMO_PASSWORD,
        ):
            assert words in service.said

    def test_demo_users_sign_in(self, service: Running):
        """The admin john and the user jane exist from the start."""
        assert service.sign_in("john").body["user"]["roles"] == ["admin"]
        assert service.sign_in("jane@example.com").body["user"]["roles"] == ["user"]

    def test_data_is_private(self, service: Running, shared_harness: ProcessHarness):
        """Other users of the computer cannot read the key or the database."""
        assert mode_of(shared_harness.data) == 0o700
        assert mode_of(shared_harness.data / "secret-key") == 0o600
        assert mode_of(shared_harness.data / "dynamodb.sqlite") == 0o600

    def test_data_folder_without_parents(self, harness: ProcessHarness):
        """Missing parent folders of the data folder are created."""
        harness.data = harness.folder / "one" / "two" / "data with spaces"
        harness.serve()

        assert mode_of(harness.data) == 0o700

    def test_without_demo_users(self, harness: ProcessHarness):
        """ROSTER_DEMO=0 creates no users and prints no password."""
        service = harness.serve(ROSTER_DEMO="0")

        assert service.sign_in("john").status == 401
        assert DEMO_PASSWORD not in service.said

    def test_with_another_demo_password(self, harness: ProcessHarness):
        """ROSTER_DEMO_PASSWORD is the password of the demo users, and the one in the banner."""
        password = "a stone bridge over the river"
        service = harness.serve(ROSTER_DEMO_PASSWORD=password)
        body = {"login": "jane", "password": password}

        assert service.call("POST", "/v1/sessions", body).status == 201
        assert password in service.said

    def test_demo_users_beside_sign_up_domains(self, harness: ProcessHarness):
        """The demo users exist whatever domains people may sign up with."""
        service = harness.serve(
            ROSTER_SIGNUP_EMAIL_DOMAINS="school.example",
            ROSTER_SIGNUP_EMAIL_DOMAINS_BLOCKED="example.com",
        )

        assert service.sign_in("john").status == 201

    def test_host_is_a_name(self, harness: ProcessHarness):
        """--host accepts a name as well as an address."""
        service = harness.begin("--host", "localhost")

        wait_for(lambda: "Roster serves on http://" in service.said, "the banner is printed")
        assert service.stop() == 0

    def test_credentials_of_the_computer_are_not_used(self, harness: ProcessHarness):
        """Incomplete AWS settings do not matter in local mode."""
        service = harness.serve(AWS_REGION="nowhere", AWS_ACCESS_KEY_ID="without its secret")

        assert service.sign_in("john").status == 201


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_by_signal(self, harness: ProcessHarness, number: signal.Signals):
        """kill, Ctrl-C and a closed terminal end the service and all its processes."""
        service = harness.serve()

        assert service.send(number).ended() == 0
        assert harness.is_empty()

    def test_by_ctrl_c_in_a_terminal(self, harness: ProcessHarness):
        """A terminal sends SIGINT to the whole process group, not to one process."""
        service = harness.serve()
        os.killpg(service.process.pid, signal.SIGINT)

        assert service.ended() == 0
        assert harness.is_empty()

    def test_nohup(self, harness: ProcessHarness):
        """Under nohup the service survives the end of the terminal."""
        service = harness.begin(by=["nohup"]).until_ready()
        service.send(signal.SIGHUP)

        assert service.sign_in("john").status == 201
        assert service.stop() == 0

    def test_several_signals(self, harness: ProcessHarness):
        """Repeated signals do not disturb the shutdown."""
        service = harness.serve()
        service.send(signal.SIGTERM).send(signal.SIGTERM)
        wait_for(lambda: service.send(signal.SIGTERM).process.poll() is not None, "it has ended")

        assert service.ended() == 0
        assert harness.is_empty()

    def test_immediately(self, harness: ProcessHarness):
        """A start that is stopped immediately leaves no process behind."""
        harness.begin().stop()

        assert harness.is_empty()

    @pytest.mark.parametrize(
        "phase",
        [
            pytest.param(lambda starting: starting.engine, id="engine has started"),
            pytest.param(lambda starting: "Roster serves" in starting.said, id="banner is printed"),
            pytest.param(lambda starting: len(starting.workers) > 0, id="first worker has started"),
            pytest.param(
                lambda starting: len(starting.workers) > 1, id="second worker has started"
            ),
        ],
    )
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_during_the_start(self, harness: ProcessHarness, number: signal.Signals, phase):
        """A start can be stopped in every phase, by kill and by Ctrl-C in a terminal."""
        starting = harness.begin()
        wait_for(lambda: phase(starting), "the phase is reached")
        os.killpg(starting.process.pid, number)

        assert starting.ended() == 0
        assert harness.is_empty()

    def test_requests_are_in_flight(self, harness: ProcessHarness):
        """Accepted requests get a response, and rejected ones have no effect."""
        service = harness.serve(ROSTER_RATE_LIMITS="off")
        clients = ClientsSigningUp(service)
        clients.wait_for_created(10)
        status = service.stop()
        assert clients.join()
        restarted = harness.serve(ROSTER_RATE_LIMITS="off")

        assert status == 0
        assert clients.unclear == []
        assert {restarted.sign_in(name).status for name in clients.created} == {201}
        assert {restarted.sign_in(name).status for name in clients.not_accepted} <= {401}

    def test_a_connection_is_kept_alive(self, harness: ProcessHarness):
        """An open keep-alive connection does not delay the shutdown."""
        service = harness.serve()
        line = http.client.HTTPConnection(HERE, service.port, timeout=PATIENCE)
        with contextlib.closing(line):
            line.request("GET", "/health/live")
            line.getresponse().read()

            assert service.stop() == 0

    def test_killed(self, harness: ProcessHarness):
        """If the service is killed, its workers and its engine end, too."""
        harness.serve().send(signal.SIGKILL)

        assert harness.is_empty()


class TestRestart:
    @pytest.fixture(scope="class")
    @classmethod
    def before(cls, shared_harness: ProcessHarness) -> dict[str, str]:
        """Data written before the service was stopped, and tokens of that time."""
        service = shared_harness.serve()
        john, jane = service.token_of("john"), service.token_of("jane")
        page = service.call("GET", "/v1/users?limit=1", token=john).body
        service.call("PATCH", "/v1/users/me", {"full_name": "Jane Roe"}, jane)
        created_user = service.sign_up("ada").body
        kept = {
            "john's token": john,
            "john's cursor": page["next_cursor"],
            "ada's id": created_user["id"],
            "ada's token": service.token_of("ada"),
        }
        service.stop()
        return kept

    @pytest.fixture(scope="class")
    @classmethod
    def restarted(cls, before: dict[str, str], shared_harness: ProcessHarness) -> Running:
        """The service after the restart."""
        return shared_harness.serve()

    def test_users_and_sessions_stay(self, before: dict[str, str], restarted: Running):
        """Sessions from before the restart stay valid."""
        ada = restarted.call("GET", "/v1/users/me", token=before["ada's token"])

        assert ada.body["id"] == before["ada's id"]

    def test_secret_key_stays(self, before: dict[str, str], restarted: Running):
        """A cursor from before the restart stays valid."""
        cursor = before["john's cursor"]
        path = f"/v1/users?limit=1&cursor={cursor}"

        assert restarted.call("GET", path, token=before["john's token"]).status == 200

    def test_demo_users_stay_as_they_are(self, restarted: Running):
        """A restart does not undo changes of the demo users."""
        assert restarted.sign_in("jane").body["user"]["full_name"] == "Jane Roe"

    def test_start_was_broken_off_while_the_key_was_written(self, harness: ProcessHarness):
        """An incomplete key is never used: the next start creates a complete one."""
        harness.data.mkdir(mode=0o700)
        (harness.data / "secret-key.draft").touch(mode=0o600)
        harness.serve()

        assert len((harness.data / "secret-key").read_text()) >= 32

    def test_after_a_kill(self, harness: ProcessHarness):
        """No manual repair is needed."""
        service = harness.serve()
        service.sign_up("ada")
        harness.kill_everything()
        service.ended()

        assert harness.serve(port=service.port).sign_in("ada").status == 201


class TestWorkerDies:
    def test_once(self, harness: ProcessHarness):
        """A killed worker is replaced, and the service keeps running."""
        service = harness.serve()
        victim = service.workers[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(
            lambda: victim not in service.workers and len(service.workers) == 2,
            "another worker has replaced it",
        )

        assert service.until_ready().sign_in("john").status == 201
        assert service.stop() == 0
        assert harness.is_empty()

    def test_crash_loop(self, harness: ProcessHarness):
        """If workers keep dying, the service reports it and ends."""
        service = harness.serve()
        # Read before the kill: afterwards the successor may be one of them already.
        before = service.workers
        os.kill(before[0], signal.SIGKILL)
        successors = wait_for(lambda: set(service.workers) - set(before), "it is replaced")
        os.kill(successors.pop(), signal.SIGKILL)

        assert service.ended() == 1
        assert "crash loop" in last_line(service.said)
        assert harness.is_empty()


class TestEngineDies:
    def test_while_serving(self, harness: ProcessHarness):
        """Without its engine the service ends with a message, instead of failing every request."""
        service = harness.serve()
        os.kill(service.engine, signal.SIGKILL)

        assert service.ended() == 1
        assert last_line(service.said).startswith("Error: The local engine (pid ")
        assert harness.is_empty()

    def test_during_the_start(self, harness: ProcessHarness):
        """The last output of a failed engine is in the error message."""
        failing = harness.folder / "failing-engine"
        failing.write_text(FAILING_ENGINE)
        failing.chmod(0o755)
        starting = harness.begin(DYNAMODB_ENGINE=str(failing))

        assert starting.ended() == 1
        assert only_line(starting.said).startswith("Error: The local engine (pid ")
        assert "no space left on device" in starting.said
        assert harness.is_empty()


class TestRejectedStart:
    def test_port_is_taken(self, harness: ProcessHarness, taken_port: int):
        """The line names the port and the option to change it; no engine keeps running."""
        starting = harness.begin(port=taken_port)

        assert starting.ended() == 1
        assert f"Port {taken_port} of 127.0.0.1 is in use" in only_line(starting.said)
        assert "--port" in starting.said
        assert harness.is_empty()

    @pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "long" * 20])
    def test_host_is_not_here(self, harness: ProcessHarness, host: str):
        """The line names an unknown host name, or an address of another computer."""
        assert host in rejection(harness, "--host", host)

    def test_demo_users_on_every_interface(self, harness: ProcessHarness):
        """Demo users and a host that others can reach do not start together (L4)."""
        said = rejection(harness, "--host", "0.0.0.0")

        assert "0.0.0.0" in said
        assert "--expose-demo-users" in said

    def test_demo_users_of_an_earlier_start(self, harness: ProcessHarness):
        """ROSTER_DEMO=off does not hide the demo users that the folder already has (L4)."""
        assert harness.serve().stop() == 0
        said = rejection(harness, "--host", "0.0.0.0", ROSTER_DEMO="off")

        assert f"created john and jane in {harness.data}" in said

    def test_data_folder_is_in_use(self, harness: ProcessHarness):
        """Two services never share one database; the first keeps running."""
        first = harness.serve()
        second = harness.begin()

        assert second.ended() == 1
        assert f"The data folder {harness.data} is in use" in only_line(second.said)
        assert first.sign_in("john").status == 201

    def test_data_folder_cannot_be_made(self, harness: ProcessHarness):
        """The line names a data folder below a file."""
        (harness.folder / "file").touch()
        harness.data = harness.folder / "file" / "data"

        assert f"The data folder {harness.data} cannot be used" in rejection(harness)

    def test_engine_is_missing(self, harness: ProcessHarness):
        """The line names a wrong DYNAMODB_ENGINE."""
        line = rejection(harness, DYNAMODB_ENGINE="/nonexistent")

        assert "DYNAMODB_ENGINE=/nonexistent" in line

    def test_demo_password_is_weak(self, harness: ProcessHarness):
        """The password policy applies to demo users; the line names the variable, not its value."""
        starting = harness.begin(ROSTER_DEMO_PASSWORD="hunter2")

        assert starting.ended() == 1
        assert "ROSTER_DEMO_PASSWORD" in only_line(starting.said)
        assert "hunter2" not in starting.said
        assert harness.is_empty()

    def test_demo_username_is_reserved(self, harness: ProcessHarness):
        """A demo user that the settings reject is rejected in one line, with the way out."""
        starting = harness.begin(ROSTER_RESERVED_USERNAMES="john")

        assert starting.ended() == 1
        assert "ROSTER_DEMO=off" in only_line(starting.said)
        assert harness.is_empty()

    def test_setting_is_wrong(self, harness: ProcessHarness):
        """A wrong setting is rejected before the engine starts."""
        assert "ROSTER_SIGNUP" in rejection(harness, ROSTER_SIGNUP="perhaps")
        assert not harness.data.exists()
