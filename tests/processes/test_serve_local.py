"""`roster serve --local`: the service with its own engine, from the first start to the last."""

import contextlib
import http.client
import os
import signal
import stat
import sys
import threading

import pytest

from tests.support.process_harness import (
    HERE,
    PASSWORD,
    PATIENCE,
    Running,
    Stage,
    free_port,
    last_line,
    only_line,
    wait_for,
)

# Says that it listens and answers GET as the engine does, but dies of the first real request.
FRAIL_ENGINE = f"""#!{sys.executable}
import os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Frail(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        print("no space left on device", flush=True)
        os._exit(3)

    def log_message(self, *words):
        pass

port = int(sys.argv[4])
server = HTTPServer(("127.0.0.1", port), Frail)
print(f"listening on http://127.0.0.1:{{port}}", flush=True)
server.serve_forever()
"""


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def refusal(stage: Stage, *arguments: str, **settings: str) -> str:
    """The one line by which the service refuses to start before there is an engine."""
    where = ("--data", str(stage.data), "--port", str(free_port()))
    status, said = stage.rehearse("serve", "--local", *where, *arguments, **settings)
    assert status == 1, said
    return only_line(said)


class SignUps:
    """People who sign up one after the other until nobody listens any more."""

    def __init__(self, service: Running, people: int = 8) -> None:
        self.service = service
        self.welcome: list[str] = []
        self.turned_away: list[str] = []
        self.left_in_doubt: list[str] = []
        self.threads = [threading.Thread(target=self._go_on, args=(n,)) for n in range(people)]
        for thread in self.threads:
            thread.start()

    def until(self, number: int) -> None:
        """Wait until so many have been told that they are in."""
        wait_for(lambda: len(self.welcome) >= number, f"{number} have signed up")

    def are_gone(self) -> bool:
        for thread in self.threads:
            thread.join()
        return True

    def _go_on(self, number: int) -> None:
        with contextlib.suppress(ConnectionRefusedError):
            for turn in range(100_000):
                self._sign_up(f"user-{number}-{turn}")

    def _sign_up(self, username: str) -> None:
        try:
            answer = self.service.sign_up(username)
            (self.welcome if answer.status == 201 else self.left_in_doubt).append(username)
        except ConnectionRefusedError:
            raise
        except ConnectionError:
            self.turned_away.append(username)
        except (OSError, http.client.HTTPException):
            self.left_in_doubt.append(username)


class TestFirstStart:
    @pytest.fixture(scope="class")
    @classmethod
    def service(cls, shared_stage: Stage) -> Running:
        """The service in a folder where there was nothing."""
        return shared_stage.serve()

    def test_banner_says_what_a_person_wants_to_know(self, service: Running):
        """The URLs and the demo sign-in are printed."""
        for words in (
            f"http://127.0.0.1:{service.port}\n",
            f"http://127.0.0.1:{service.port}/docs\n",
            "john",
            "jane",
            PASSWORD,
        ):
            assert words in service.said

    def test_demo_users_sign_in(self, service: Running):
        """john the admin and jane the user are there from the start."""
        assert service.sign_in("john").body["user"]["roles"] == ["admin"]
        assert service.sign_in("jane@example.com").body["user"]["roles"] == ["user"]

    def test_data_are_private(self, service: Running, shared_stage: Stage):
        """Nobody else on the computer can read the key or the database."""
        assert mode_of(shared_stage.data) == 0o700
        assert mode_of(shared_stage.data / "secret-key") == 0o600
        assert mode_of(shared_stage.data / "dynamodb.sqlite") == 0o600

    def test_data_folder_is_deep_below_nothing(self, stage: Stage):
        """Folders above the data folder are made too."""
        stage.data = stage.folder / "one" / "two" / "data with spaces"
        stage.serve()

        assert mode_of(stage.data) == 0o700

    def test_without_demo_users(self, stage: Stage):
        """ROSTER_DEMO=0 makes no users and prints no password."""
        service = stage.serve(ROSTER_DEMO="0")

        assert service.sign_in("john").status == 401
        assert PASSWORD not in service.said

    def test_with_another_demo_password(self, stage: Stage):
        """ROSTER_DEMO_PASSWORD is what the demo users sign in with, and what is printed."""
        password = "a stone bridge over the river"
        service = stage.serve(ROSTER_DEMO_PASSWORD=password)
        body = {"login": "jane", "password": password}

        assert service.call("POST", "/v1/sessions", body).status == 201
        assert password in service.said

    def test_host_is_a_name(self, stage: Stage):
        """--host takes a name as well as an address."""
        service = stage.begin("--host", "localhost")

        wait_for(lambda: "Roster serves on http://" in service.said, "the banner is printed")
        assert service.stop() == 0

    def test_credentials_of_the_computer_are_not_used(self, stage: Stage):
        """Half an AWS set-up does not matter where no AWS is used."""
        service = stage.serve(AWS_REGION="nowhere", AWS_ACCESS_KEY_ID="without its secret")

        assert service.sign_in("john").status == 201


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_by_signal(self, stage: Stage, number: signal.Signals):
        """kill, Ctrl-C and a closed terminal end the service and everything it has started."""
        service = stage.serve()

        assert service.send(number).ended() == 0
        assert stage.is_empty()

    def test_by_ctrl_c_in_a_terminal(self, stage: Stage):
        """A terminal sends SIGINT to the whole group of processes, not to one."""
        service = stage.serve()
        os.killpg(service.process.pid, signal.SIGINT)

        assert service.ended() == 0
        assert stage.is_empty()

    def test_terminal_is_closed_under_nohup(self, stage: Stage):
        """Who starts the service with nohup may close the terminal."""
        service = stage.begin(by=["nohup"]).until_ready()
        service.send(signal.SIGHUP)

        assert service.sign_in("john").status == 201
        assert service.stop() == 0

    def test_told_several_times(self, stage: Stage):
        """An impatient person does not make it worse."""
        service = stage.serve()
        service.send(signal.SIGTERM).send(signal.SIGTERM)
        wait_for(lambda: service.send(signal.SIGTERM).process.poll() is not None, "it has ended")

        assert service.ended() == 0
        assert stage.is_empty()

    def test_at_once(self, stage: Stage):
        """A start that is broken off before it has begun leaves nothing behind."""
        stage.begin().stop()

        assert stage.is_empty()

    @pytest.mark.parametrize(
        "moment",
        [
            pytest.param(lambda begun: begun.engine, id="engine has started"),
            pytest.param(lambda begun: "Roster serves" in begun.said, id="banner is printed"),
            pytest.param(lambda begun: len(begun.workers) > 0, id="first worker is born"),
            pytest.param(lambda begun: len(begun.workers) > 1, id="second worker is born"),
        ],
    )
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_during_the_start(self, stage: Stage, number: signal.Signals, moment):
        """A start can be broken off at any moment, by kill and by Ctrl-C in a terminal."""
        begun = stage.begin()
        wait_for(lambda: moment(begun), "the moment has come")
        os.killpg(begun.process.pid, number)

        assert begun.ended() == 0
        assert stage.is_empty()

    def test_requests_are_in_flight(self, stage: Stage):
        """Whoever is let in is answered, and whoever is not has left no trace."""
        service = stage.serve(ROSTER_RATE_LIMITS="off")
        people = SignUps(service)
        people.until(10)
        status = service.stop()
        assert people.are_gone()
        again = stage.serve(ROSTER_RATE_LIMITS="off")

        assert status == 0
        assert people.left_in_doubt == []
        assert {again.sign_in(name).status for name in people.welcome} == {201}
        assert {again.sign_in(name).status for name in people.turned_away} <= {401}

    def test_a_connection_is_kept_alive(self, stage: Stage):
        """A browser that keeps its connection open does not keep the service from stopping."""
        service = stage.serve()
        line = http.client.HTTPConnection(HERE, service.port, timeout=PATIENCE)
        with contextlib.closing(line):
            line.request("GET", "/health/live")
            line.getresponse().read()

            assert service.stop() == 0

    def test_killed(self, stage: Stage):
        """Where the service itself is killed, neither workers nor engine outlive it."""
        stage.serve().send(signal.SIGKILL)

        assert stage.is_empty()


class TestRestart:
    @pytest.fixture(scope="class")
    @classmethod
    def before(cls, shared_stage: Stage) -> dict[str, str]:
        """What somebody has done and kept before the service was stopped."""
        service = shared_stage.serve()
        john, jane = service.token_of("john"), service.token_of("jane")
        page = service.call("GET", "/v1/users?limit=1", token=john).body
        service.call("PATCH", "/v1/users/me", {"full_name": "Jane Roe"}, jane)
        made = service.sign_up("ada").body
        kept = {
            "john's token": john,
            "john's cursor": page["next_cursor"],
            "ada's id": made["id"],
            "ada's token": service.token_of("ada"),
        }
        service.stop()
        return kept

    @pytest.fixture(scope="class")
    @classmethod
    def again(cls, before: dict[str, str], shared_stage: Stage) -> Running:
        """The service that was started after that."""
        return shared_stage.serve()

    def test_users_and_sessions_stay(self, before: dict[str, str], again: Running):
        """Who signed up and in before the restart is still signed in after it."""
        ada = again.call("GET", "/v1/users/me", token=before["ada's token"])

        assert ada.body["id"] == before["ada's id"]

    def test_secret_key_stays(self, before: dict[str, str], again: Running):
        """A cursor from before the restart goes on after it."""
        cursor = before["john's cursor"]
        path = f"/v1/users?limit=1&cursor={cursor}"

        assert again.call("GET", path, token=before["john's token"]).status == 200

    def test_demo_users_stay_as_they_are(self, again: Running):
        """Seeding again undoes nothing that was done to the demo users."""
        assert again.sign_in("jane").body["user"]["full_name"] == "Jane Roe"

    def test_start_was_broken_off_while_the_key_was_written(self, stage: Stage):
        """Half a key is never used: the next start makes a whole one."""
        stage.data.mkdir(mode=0o700)
        (stage.data / "secret-key.draft").touch(mode=0o600)
        stage.serve()

        assert len((stage.data / "secret-key").read_text()) >= 32

    def test_after_a_kill(self, stage: Stage):
        """Nothing has to be repaired by hand."""
        service = stage.serve()
        service.sign_up("ada")
        stage.kill_everything()
        service.ended()

        assert stage.serve(port=service.port).sign_in("ada").status == 201


class TestWorkerDies:
    def test_once(self, stage: Stage):
        """A worker that was killed is replaced, and the service goes on."""
        service = stage.serve()
        victim = service.workers[0]
        os.kill(victim, signal.SIGKILL)
        wait_for(
            lambda: victim not in service.workers and len(service.workers) == 2,
            "another worker has taken its place",
        )

        assert service.until_ready().sign_in("john").status == 201
        assert service.stop() == 0
        assert stage.is_empty()

    def test_again_and_again(self, stage: Stage):
        """Where a worker keeps dying the service says so and ends, for somebody to notice."""
        service = stage.serve()
        victim = service.workers[0]
        os.kill(victim, signal.SIGKILL)
        other = service.workers[-1]
        successors = wait_for(lambda: set(service.workers) - {victim, other}, "it is replaced")
        os.kill(successors.pop(), signal.SIGKILL)

        assert service.ended() == 1
        assert "crash loop" in last_line(service.said)
        assert stage.is_empty()


class TestEngineDies:
    def test_while_serving(self, stage: Stage):
        """Without its engine the service ends and says why, instead of failing every request."""
        service = stage.serve()
        os.kill(service.engine, signal.SIGKILL)

        assert service.ended() == 1
        assert last_line(service.said).startswith("Error: The local engine (pid ")
        assert stage.is_empty()

    def test_during_the_start(self, stage: Stage):
        """The last words of an engine that cannot work are the reason that is given."""
        frail = stage.folder / "frail-engine"
        frail.write_text(FRAIL_ENGINE)
        frail.chmod(0o755)
        begun = stage.begin(DYNAMODB_ENGINE=str(frail))

        assert begun.ended() == 1
        assert only_line(begun.said).startswith("Error: The local engine (pid ")
        assert "no space left on device" in begun.said
        assert stage.is_empty()


class TestRefusedStart:
    def test_port_is_taken(self, stage: Stage, taken_port: int):
        """The line names the port and the way out; no engine is left behind."""
        begun = stage.begin(port=taken_port)

        assert begun.ended() == 1
        assert f"Port {taken_port} of 127.0.0.1 is taken" in only_line(begun.said)
        assert "--port" in begun.said
        assert stage.is_empty()

    @pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "long" * 20])
    def test_host_is_not_here(self, stage: Stage, host: str):
        """A name that cannot be found and an address that is not this computer's are named."""
        assert host in refusal(stage, "--host", host)

    def test_data_folder_is_in_use(self, stage: Stage):
        """Two services never share one database; the first goes on."""
        first = stage.serve()
        second = stage.begin()

        assert second.ended() == 1
        assert f"The data folder {stage.data} is in use" in only_line(second.said)
        assert first.sign_in("john").status == 201

    def test_data_folder_cannot_be_made(self, stage: Stage):
        """A folder below a file is refused by name."""
        (stage.folder / "file").touch()
        stage.data = stage.folder / "file" / "data"

        assert f"The data folder {stage.data} cannot be used" in refusal(stage)

    def test_engine_is_missing(self, stage: Stage):
        """A wrong DYNAMODB_ENGINE is named."""
        line = refusal(stage, DYNAMODB_ENGINE="/nonexistent")

        assert "DYNAMODB_ENGINE=/nonexistent" in line

    def test_demo_password_is_weak(self, stage: Stage):
        """The password rules hold for demo users; the variable is named, its value is not."""
        begun = stage.begin(ROSTER_DEMO_PASSWORD="hunter2")

        assert begun.ended() == 1
        assert "ROSTER_DEMO_PASSWORD" in only_line(begun.said)
        assert "hunter2" not in begun.said
        assert stage.is_empty()

    def test_setting_is_wrong(self, stage: Stage):
        """A wrong setting is refused before the engine is started."""
        assert "ROSTER_SIGNUP" in refusal(stage, ROSTER_SIGNUP="perhaps")
        assert not stage.data.exists()
