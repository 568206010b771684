import contextlib
import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session
import pytest

from flask_pynamodb.local import (
    Engine,
    EngineError,
    data_folder,
    find_binary,
    process,
    running_engine,
)
from flask_pynamodb.local import engine as engine_module
from flask_pynamodb.local.data_folder import locked, write_url
from flask_pynamodb.local.process import free_port

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.dynoxide

OWNER = """
import sys
from pathlib import Path
from flask_pynamodb.local import Engine

engine = Engine(Path(sys.argv[1])).start()
print(engine.pid, flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def client_of(engine):
    client = botocore.session.get_session().create_client(
        "dynamodb",
        region_name="eu-central-1",
        endpoint_url=engine.host,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    yield client
    client.close()


def write_note(engine):
    """Store one note durably."""
    with client_of(engine) as client:
        client.create_table(
            TableName="notes",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        client.put_item(TableName="notes", Item={"id": {"S": "milk"}})


def table_names(engine):
    with client_of(engine) as client:
        return client.list_tables()["TableNames"]


def notes(engine):
    with client_of(engine) as client:
        return client.scan(TableName="notes")["Items"]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def is_running(pid):
    """Whether the process exists and is not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "XZ"


def has_gone(pid):
    """Wait at most 10 seconds for the process to end; answers whether it did."""
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


@contextlib.contextmanager
def owner_of(data):
    """A process that has started an engine on the folder; yields it and the engine's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process, int(process.stdout.readline())


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def deaths():
    """What on_exit was told, in order."""
    return queue.Queue()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch, dynamodb_engine_binary):
    """Put the engine on the PATH."""
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "dynoxide").symlink_to(dynamodb_engine_binary)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def fake(tmp_path):
    """Return a function that creates an engine from a script, whose argument 4 is the port."""

    def create(script):
        path = tmp_path / "fake-engine"
        path.write_text(script)
        path.chmod(0o755)
        return path

    return create


class TestFindBinary:
    def test_on_the_path(self, tmp_path):
        """Without a path, the dynoxide on the PATH is used."""
        assert find_binary() == tmp_path / "installed" / "dynoxide"

    def test_named(self, fake):
        """A named binary takes precedence over the PATH."""
        named = fake("")

        assert find_binary(named) == named

    @pytest.mark.parametrize("mode", [None, 0o644])
    def test_named_file_is_not_executable(self, fake, mode):
        """A named file that is missing or not executable is rejected with its path."""
        named = fake("")
        named.unlink() if mode is None else named.chmod(mode)

        with pytest.raises(EngineError, match=f"{named} is not an executable file"):
            find_binary(named)

    def test_not_installed(self, monkeypatch, tmp_path):
        """Without an engine the error names the npm package."""
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(EngineError, match="@dynoxide/linux-x64"):
            find_binary()


class TestStart:
    def test_answers_at_once(self):
        """A started engine serves the first request."""
        with Engine() as engine:
            assert table_names(engine) == []

    def test_twice(self):
        """Starting a running engine changes nothing."""
        with Engine() as engine:
            first = engine.pid

            assert engine.start() is engine
            assert engine.pid == first

    def test_again_after_stop(self, data):
        """A stopped engine can be started again and has its tables."""
        engine = Engine(data)
        with engine:
            write_note(engine)
        with engine:
            assert table_names(engine) == ["notes"]

    def test_many_at_once(self):
        """Engines in memory share neither port nor tables."""
        with Engine() as one, Engine() as two:
            write_note(one)

            assert table_names(two) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="others have no more loopback addresses")
    def test_address_cannot_be_found_by_trying(self):
        """A web page that tries the ports of 127.0.0.1 does not reach the engine (L4)."""
        with Engine() as one, Engine() as two:
            addresses = [urlsplit(engine.host) for engine in (one, two)]

            assert all(ip_address(address.hostname).is_loopback for address in addresses)
            assert len({"127.0.0.1", *(address.hostname for address in addresses)}) == 3
            for address in addresses:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", address.port))

    def test_on_a_given_port(self):
        """A port that was asked for is known before the start and used."""
        engine = Engine(port=free_port())
        address = engine.host
        with engine:
            assert engine.host == address
            assert table_names(engine) == []

    def test_on_a_taken_port(self, taken_port):
        """The error names the port that is in use."""
        engine = Engine(port=taken_port)

        with pytest.raises(EngineError, match=f"Port {taken_port} of 127.0.0.1 is taken"):
            engine.start()
        assert not engine.is_alive

    def test_free_port_is_lost_before_the_engine_listens(self, fake, tmp_path):
        """If a free port is taken by another process, the start uses the next one."""
        binary = fake(
            "#!/bin/sh\n"
            f"mkdir {tmp_path}/lost && echo error: port $4 is already in use && exit 1\n"
            f'exec {find_binary()} "$@"\n'
        )
        with Engine(binary=binary) as engine:
            assert table_names(engine) == []

    def test_engine_exits_early(self, fake):
        """What the engine said last is the reason in the error."""
        binary = fake("#!/bin/sh\necho hello\necho the disk is full\nexit 3\n")

        with pytest.raises(EngineError, match=r"did not start, status 3: the disk is full$"):
            Engine(binary=binary).start()

    def test_engine_exits_silently(self, fake):
        """Even an engine without last words gives a whole sentence."""
        binary = fake("#!/bin/sh\nexit 3\n")

        with pytest.raises(EngineError, match=r"did not start, status 3: nothing$"):
            Engine(binary=binary).start()

    def test_engine_never_answers(self, fake, monkeypatch):
        """An engine that hangs is an error and is not left behind."""
        monkeypatch.setattr(process, "START_TIMEOUT", 0.2)
        binary = fake("#!/bin/sh\necho listening on http://$2:$4\necho pid $$\nexec sleep 60\n")

        with pytest.raises(EngineError, match="did not answer") as caught:
            Engine(binary=binary).start()
        assert has_gone(int(str(caught.value).split()[-1]))

    def test_engine_is_not_for_this_machine(self, fake):
        """A file the kernel cannot run is named."""
        binary = fake("not a program")

        with pytest.raises(EngineError, match=r"fake-engine cannot be run \(Exec format error\)"):
            Engine(binary=binary).start()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
class TestEnvironment:
    def test_no_secrets(self, monkeypatch):
        """The engine gets no secret and no credential of its parent (L9)."""
        monkeypatch.setenv("ROSTER_SECRET_KEY", "a secret of the parent")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a credential of the parent")

        with Engine() as engine:
            environment = Path(f"/proc/{engine.pid}/environ").read_bytes()

        names = {part.partition(b"=")[0].decode() for part in environment.split(b"\0") if part}
        assert b"of the parent" not in environment
        assert names <= {"HOME", "LANG", "LC_ALL", "PATH", "RUST_LOG", "TMPDIR", "TZ"}


class TestDataFolder:
    def test_survives_a_stop(self, data):
        """What was written is there for the next engine."""
        with Engine(data) as engine:
            write_note(engine)
        with Engine(data) as engine:
            assert notes(engine) == [{"id": {"S": "milk"}}]

    def test_survives_a_kill(self, data):
        """What was acknowledged is there even when the engine was killed."""
        with Engine(data) as engine:
            write_note(engine)
            engine.kill()
        with Engine(data) as engine:
            assert notes(engine) == [{"id": {"S": "milk"}}]

    def test_is_private(self, data):
        """Other users of the computer can neither enter the folder nor read its files."""
        with Engine(data) as engine:
            write_note(engine)

            assert mode(data) == 0o700
            assert {path.name: mode(path) for path in data.iterdir()} == {
                "dynamodb.sqlite": 0o600,
                "dynamodb.sqlite-shm": 0o600,
                "dynamodb.sqlite-wal": 0o600,
                "engine.lock": 0o600,
                "engine.log": 0o600,
            }

    @pytest.mark.parametrize("bits", [0o770, 0o702, 0o777])
    def test_others_may_write(self, data, bits):
        """A folder in which others could replace the tables is rejected (L5)."""
        data.mkdir()
        data.chmod(bits)

        with pytest.raises(EngineError, match="Others may write to the data folder") as caught:
            Engine(data).start()

        assert str(data) in str(caught.value)
        assert list(data.iterdir()) == []

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    def test_of_another_user(self, data):
        """A folder of another user is rejected (L5)."""
        data.mkdir(mode=0o700)
        os.chown(data, 65534, 65534)

        with pytest.raises(EngineError, match="belongs to another user"):
            Engine(data).start()

    def test_log_keeps_earlier_runs(self, data):
        """The words of a run that failed are not overwritten by the next one."""
        with Engine(data) as first:
            address = first.host
        with Engine(data):
            assert address in (data / "engine.log").read_text()

    def test_in_use(self, data):
        """Two engines never open one database; the error names who is first."""
        with owner_of(data) as (owner, _), pytest.raises(EngineError) as caught:
            Engine(data).start()

        assert f"{data} is in use by another process (pid {owner.pid})" in str(caught.value)

    def test_is_a_file(self, data):
        """A folder that cannot be made is an error that says why."""
        data.touch()

        with pytest.raises(EngineError, match=r"data cannot be used \(File exists\)"):
            Engine(data).start()


class TestRunningEngine:
    """Another program finds the engine that has a data folder open."""

    def test_running(self, data):
        """Its URL is that of the engine."""
        with Engine(data) as engine:
            assert running_engine(data) == engine.host

    def test_stopped(self, data):
        """A stopped engine is not found, although its files are left."""
        Engine(data).start().stop()

        assert running_engine(data) is None

    def test_never_started(self, data):
        """Looking for one creates nothing."""
        assert running_engine(data) is None
        assert not data.exists()

    def test_restarted(self, data):
        """The URL is that of the last start."""
        Engine(data).start().stop()
        with Engine(data) as engine:
            assert running_engine(data) == engine.host

    def test_is_starting(self, data):
        """An engine that is starting is waited for."""
        with locked(data) as [lock]:
            timer = threading.Timer(0.1, write_url, (lock, "http://127.1.2.3:4000"))
            timer.start()

            assert running_engine(data) == "http://127.1.2.3:4000"
            timer.join()

    def test_does_not_start(self, data, monkeypatch):
        """But not for long."""
        monkeypatch.setattr(data_folder, "LOCK_TIMEOUT", 0.05)
        with locked(data), pytest.raises(EngineError, match=f"pid {os.getpid()}"):
            running_engine(data)

    def test_unusable_folder(self, data):
        """A folder that cannot be read is one line."""
        (data / "engine.lock").mkdir(parents=True)

        with pytest.raises(EngineError, match="cannot be used"):
            running_engine(data)

    def test_others_may_write(self, data):
        """In a folder of others the URL may be theirs (L5)."""
        Engine(data).start().stop()
        data.chmod(0o777)

        with pytest.raises(EngineError, match="Others may write"):
            running_engine(data)


class TestStop:
    def test_ends_the_process(self):
        """Nothing is left behind."""
        engine = Engine().start()
        pid = engine.pid
        engine.stop()

        assert not engine.is_alive
        assert engine.pid is None
        assert has_gone(pid)

    def test_twice(self):
        """The second stop does nothing."""
        engine = Engine().start()
        engine.stop()
        engine.stop()

        assert not engine.is_alive

    def test_never_started(self):
        """Stopping or killing what never ran does nothing."""
        engine = Engine()
        engine.stop()
        engine.kill()

        assert not engine.is_alive

    def test_engine_does_not_react(self, monkeypatch):
        """An engine that ignores SIGTERM is killed."""
        monkeypatch.setattr(engine_module, "STOP_TIMEOUT", 0.2)
        engine = Engine().start()
        pid = engine.pid
        os.kill(pid, signal.SIGSTOP)
        engine.stop()

        assert has_gone(pid)


class TestOnExit:
    def test_engine_in_memory_is_killed(self, deaths):
        """The callback receives one line, which says that the data is lost."""
        with Engine(on_exit=deaths.put) as engine:
            pid = engine.pid
            engine.kill()
            line = deaths.get(timeout=10)

        assert line.startswith(f"The local engine (pid {pid}) ended unexpectedly, SIGKILL, last ")
        assert line.endswith(" Its data was in memory and is lost: start it again.")
        assert "\n" not in line

    def test_engine_on_disk_is_killed_by_a_stranger(self, deaths, data):
        """The line says where the data is."""
        with Engine(data, on_exit=deaths.put) as engine:
            os.kill(engine.pid, signal.SIGKILL)
            line = deaths.get(timeout=10)

        assert line.endswith(f" Its data is kept in {data}: start it again.")

    def test_engine_ends_by_itself(self, deaths):
        """An end without an error is unexpected all the same."""
        with Engine(on_exit=deaths.put) as engine:
            os.kill(engine.pid, signal.SIGTERM)
            line = deaths.get(timeout=10)

        assert "ended unexpectedly, status 0, last log line: Shutting down..." in line

    def test_engine_was_stopped(self, deaths):
        """Only a kill calls the callback, a stop does not."""
        engine = Engine(on_exit=deaths.put)
        engine.start().stop()
        engine.start().kill()
        line = deaths.get(timeout=10)

        assert "SIGKILL" in line
        assert deaths.empty()

    def test_nobody_wants_to_know(self):
        """Without on_exit a death shows in is_alive only."""
        engine = Engine().start()
        engine.kill()

        assert not engine.is_alive

    def test_callback_stops_the_engine(self, deaths):
        """The callback may call stop() itself."""

        def stop_too(line):
            engine.stop()
            deaths.put(line)

        engine = Engine(on_exit=stop_too).start()
        engine.kill()

        assert "SIGKILL" in deaths.get(timeout=10)


class TestParentKilled:
    def test_engine_dies_too(self, data):
        """An engine never outlives the process that started it."""
        with owner_of(data) as (owner, engine_pid):
            owner.kill()

        assert has_gone(engine_pid)

    def test_restart_at_once(self, data):
        """The next start needs no repair and no patience."""
        with owner_of(data) as (owner, _):
            owner.kill()
            with Engine(data) as engine:
                assert table_names(engine) == []


class TestEngine:
    def test_has_no_address_before_the_start(self):
        """Asking too early is a mistake of the caller and says so."""
        with pytest.raises(EngineError, match=r"call start\(\) first"):
            _ = Engine().host

    def test_shows_where_it_runs(self, data):
        """The repr says what a person who debugs asks first."""
        with Engine(data) as engine:
            assert repr(engine) == f"<Engine in {data}, pid {engine.pid}, {engine.host}>"

    def test_shows_that_it_does_not_run(self):
        """An engine that was not started has neither pid nor address."""
        assert repr(Engine()) == "<Engine in memory, not running>"

    def test_inherits_no_open_files(self, tmp_path):
        """The engine sees none of the files its parent happens to have open."""
        with (tmp_path / "secret").open("w") as secret:
            os.set_inheritable(secret.fileno(), True)
            with Engine() as engine:
                files = [path.readlink() for path in Path(f"/proc/{engine.pid}/fd").iterdir()]

        assert tmp_path / "secret" not in files

    def test_has_its_own_session(self):
        """Ctrl-C in a terminal reaches the service, not its database."""
        with Engine() as engine:
            assert os.getsid(engine.pid) == engine.pid


class TestFixture:
    def test_every_worker_has_its_own_engine(self, pytester):
        """Each xdist worker gets an engine, and takes it with it."""
        pytester.makepyfile(
            """
            from pathlib import Path

            def test_one(dynamodb_engine, worker_id):
                Path(worker_id).write_text(str(dynamodb_engine.pid))
            """
        )
        plugin = ["-p", "flask_pynamodb.testing"]
        result = pytester.runpytest_subprocess(*plugin, "--dist=each", "--tx=2*popen")
        one, two = (int((pytester.path / worker).read_text()) for worker in ("gw0", "gw1"))

        result.assert_outcomes(passed=2)
        assert one != two
        assert has_gone(one)
        assert has_gone(two)
