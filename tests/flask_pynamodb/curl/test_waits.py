"""Waits for a response: what ends them, and what does not."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from flask_pynamodb import deadline
from tests.support.scripted_server import Exchange, Reply, ScriptedServer, Step, answer, drip

ONCE = {"retries": {"total_max_attempts": 1, "mode": "standard"}}
KEY = {"id": {"S": "1"}}
# Far more than any test waits for, and less than the other timeout of the client.
PATIENCE = 20


class Interrupted(Exception):
    """The handler of a signal has raised it."""


def get(client: Any, table: str = "a-table") -> Any:
    return client._make_api_call("GetItem", {"TableName": table, "Key": KEY})


def put(client: Any, size: int) -> Any:
    item = {**KEY, "text": {"S": "x" * size}}
    return client._make_api_call("PutItem", {"TableName": "a-table", "Item": item})


def answer_to_the_patient(exchange: Exchange) -> None:
    """Answer only a client that has not left long after its timeout."""
    exchange.connection.settimeout(PATIENCE)
    try:
        exchange.wait_until_client_leaves()
    except TimeoutError:
        exchange.send(Reply())


def answer_late(seconds: float) -> Step:
    def step(exchange: Exchange) -> None:
        time.sleep(seconds)
        exchange.send(Reply())

    return step


@pytest.fixture(params=["new", "kept"])
def make_client(request: pytest.FixtureRequest, server: ScriptedServer, make_curl: Any) -> Any:
    """Makes clients that try once, on a new connection or on a kept one."""

    def make(**config: Any) -> Any:
        client = make_curl(server.host, **{**ONCE, "connect_timeout": 60, **config})
        calls_before = int(request.param == "kept")
        server.play(*[answer(200, {})] * calls_before)
        [get(client) for _ in range(calls_before)]
        return client

    return make


@pytest.fixture
def alarm() -> Iterator[Callable[..., None]]:
    """Sends SIGALRM to this process soon, to a handler that raises an exception, or returns."""

    def start(error: type[BaseException] | None = None) -> None:
        def handle(number: int, frame: Any) -> None:
            handled.append(number)
            if error is not None:
                raise error

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.3)

    handled: list[int] = []
    before = signal.getsignal(signal.SIGALRM)
    start.handled = handled  # type: ignore[attr-defined]
    yield start
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


class TestReadTimeout:
    @pytest.mark.parametrize("size", [1, 100_000], ids=["small", "large"])
    def test_silence(self, server: ScriptedServer, make_client: Any, size: int) -> None:
        """It ends the wait for a response, however long the connect timeout is."""
        client = make_client(read_timeout=0.3)
        server.play(answer_to_the_patient)

        with pytest.raises(ReadTimeoutError):
            put(client, size)

    def test_longer_than_one_wait(self, server: ScriptedServer, make_client: Any) -> None:
        """A response within it is received, also after several waits."""
        client = make_client(read_timeout=PATIENCE)
        server.play(answer_late(0.8))

        assert get(client)["ResponseMetadata"]["HTTPStatusCode"] == 200

    def test_begins_again_with_each_part(
        self, server: ScriptedServer, make_client: Any, table: str
    ) -> None:
        """A response that takes longer as a whole is received."""
        client = make_client(read_timeout=2)
        server.play(drip(1.2))

        assert get(client, table)["ResponseMetadata"]["HTTPStatusCode"] == 200

    def test_silence_amid_a_response(self, server: ScriptedServer, make_client: Any) -> None:
        """It ends the wait for the rest of a response, too."""

        def send_half(exchange: Exchange) -> None:
            exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
            answer_to_the_patient(exchange)

        client = make_client(read_timeout=0.3)
        server.play(send_half)

        with pytest.raises(ReadTimeoutError):
            get(client)

    def test_none(self, server: ScriptedServer, make_client: Any) -> None:
        """Without one a response is waited for."""
        client = make_client(read_timeout=None)
        server.play(answer_late(0.4))

        assert get(client)["ResponseMetadata"]["HTTPStatusCode"] == 200

    def test_connection_is_closed(self, server: ScriptedServer, make_client: Any) -> None:
        """The connection is not used again: its next response could be the late one."""
        client = make_client(read_timeout=0.3)
        server.play(answer_to_the_patient, answer(200, {"Item": KEY}))
        with pytest.raises(ReadTimeoutError):
            get(client)

        assert get(client)["Item"] == KEY
        assert server.connections == 2


class TestDeadline:
    @pytest.mark.parametrize("seconds", [0.1, 0.4])
    def test_before_the_read_timeout(
        self, server: ScriptedServer, make_client: Any, seconds: float
    ) -> None:
        """The deadline of a call ends the wait for a response."""
        client = make_client(read_timeout=60, curl={"deadline_seconds": seconds})
        server.play(answer_to_the_patient)

        with pytest.raises(ReadTimeoutError):
            get(client)

    def test_amid_a_response(self, server: ScriptedServer, make_client: Any, table: str) -> None:
        """It counts the whole call, not the silence."""
        client = make_client(read_timeout=60, curl={"deadline_seconds": 0.7})
        server.play(drip(0.5))

        with pytest.raises(ReadTimeoutError):
            get(client, table)

    def test_of_a_block(self, server: ScriptedServer, make_client: Any) -> None:
        """The deadline of a block ends a call, though that of the settings is far away."""
        client = make_client(read_timeout=60, curl={"deadline_seconds": 60})
        server.play(answer_to_the_patient)

        with deadline.limited_to(0.2), pytest.raises(ReadTimeoutError):
            get(client)


class TestSignals:
    @pytest.mark.parametrize("error", [Interrupted, KeyboardInterrupt, SystemExit])
    def test_handler_raises(
        self, server: ScriptedServer, make_client: Any, alarm: Any, error: type[BaseException]
    ) -> None:
        """The exception of a handler ends the call at once."""
        client = make_client(read_timeout=60)
        server.play(answer_to_the_patient)
        alarm(error)

        with pytest.raises(error):
            get(client)
        server.wait_until_closed()
        assert not server.is_open

    def test_handler_returns(self, server: ScriptedServer, make_client: Any, alarm: Any) -> None:
        """A handler that returns runs during the call, which ends as without it."""
        client = make_client(read_timeout=60)

        def answer_after_the_handler(exchange: Exchange) -> None:
            deadline = time.monotonic() + PATIENCE
            while not alarm.handled and time.monotonic() < deadline:
                time.sleep(0.01)
            exchange.send(Reply(200 if alarm.handled else 500))

        server.play(answer_after_the_handler)
        alarm()

        assert get(client)["ResponseMetadata"]["HTTPStatusCode"] == 200

    def test_connecting(self, make_curl: Any, alarm: Any, silent_port: int) -> None:
        """A call that is not connected yet ends, too."""
        client = make_curl(f"http://127.0.0.1:{silent_port}", **{**ONCE, "connect_timeout": 60})
        alarm(Interrupted)

        with pytest.raises(Interrupted):
            get(client)

    def test_connect_timeout(self, make_curl: Any, silent_port: int) -> None:
        """The read timeout does not count before there is a connection."""
        config = {**ONCE, "connect_timeout": 0.6, "read_timeout": 0.1}
        with pytest.raises(ConnectTimeoutError):
            get(make_curl(f"http://127.0.0.1:{silent_port}", **config))


# A name server that never answers, in namespaces of its own.
HANGING_RESOLVER = r"""
mount --bind "$1" /etc/resolv.conf && ip link set lo up || exit 77
exec "$2" -W "ignore:This process:DeprecationWarning" -c '
import os, signal, socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
from botocore.exceptions import ConnectTimeoutError
from flask_pynamodb.connection import AppConnection

connection = AppConnection(
    host="http://db.example.test", region="eu-west-1", transport="curl", max_retry_attempts=0,
    aws_access_key_id="AKID", aws_secret_access_key="secret",
    connect_timeout_seconds=float(sys.argv[1]),
)
connection.client
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
try:
    connection.dispatch("GetItem", {"TableName": "t", "Key": {"id": {"S": "1"}}})
except (ConnectTimeoutError, KeyboardInterrupt) as error:
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(type(error).__name__, flush=True)
if len(sys.argv) > 3 and os.fork():
    print("child", os.wait()[1], flush=True)
' "$3" "$4" $5
"""
HANGS_FOR = 60  # seconds, in resolv.conf


class TestHangingResolver:
    @pytest.fixture
    def run(self, tmp_path: Path) -> Callable[..., str]:
        """Calls curl with a connect timeout and an alarm, and returns the output."""
        names = tmp_path / "resolv.conf"
        names.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:2\n")

        def run(*arguments: object) -> str:
            command = ["unshare", "-Urmn", "sh", "-c", HANGING_RESOLVER, "sh"]
            arguments = (names, sys.executable, *arguments)
            try:
                done = subprocess.run(
                    [*command, *map(str, arguments)],
                    capture_output=True,
                    text=True,
                    timeout=HANGS_FOR - 10,
                )
            except FileNotFoundError:
                pytest.skip("There is no unshare(1).")
            if done.returncode == 77 or done.stderr.startswith("unshare:"):
                pytest.skip(f"Namespaces are not allowed: {done.stderr}")
            return done.stdout + done.stderr

        return run

    def test_signal(self, run: Callable[..., str]) -> None:
        """A handler that raises ends the call, and the process, while a name is looked up."""
        assert run(300, 0.3) == "KeyboardInterrupt\n"

    def test_connect_timeout(self, run: Callable[..., str]) -> None:
        """The connect timeout holds while a name is looked up."""
        assert run(0.3, 300) == "ConnectTimeoutError\n"

    def test_fork(self, run: Callable[..., str]) -> None:
        """A process that is forked meanwhile ends without waiting for the parent's resolver."""
        assert run(0.3, 300, "fork") == "ConnectTimeoutError\nchild 0\n"


class TestFileDescriptors:
    def test_above_1023(self, server: ScriptedServer, make_curl: Any) -> None:
        """A process may have more files open than select(2) takes."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
        client = make_curl(server.host, **ONCE)
        server.play(answer_late(0.1), answer(200, {"Item": KEY}))
        try:
            answers = [get(client) for _ in range(2)]
        finally:
            [os.close(file) for file in files]
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

        assert answers[1]["Item"] == KEY
        assert server.connections == 1

    @pytest.mark.parametrize("is_reused", [True, False])
    def test_fork_after_the_server_has_closed(
        self, server: ScriptedServer, make_curl: Any, is_reused: bool
    ) -> None:
        """A child leaves files alone that have the number of a closed connection."""
        reader, writer = os.pipe()
        client = make_curl(server.host, **ONCE)
        server.play(answer(200, {}), answer(200, {}, connection="close"))
        [get(client) for _ in range(2)]
        number = client._routes.default.pool._idle[0]._socket
        os.dup2(reader, number) if is_reused else None
        client._routes.default.pool.abandon()
        os.write(writer, b"1")
        source = number if is_reused else reader

        assert os.read(source, 1) == b"1"
        [os.close(file) for file in {reader, writer, source}]

    def test_server_closes_each(self, server: ScriptedServer, make_curl: Any) -> None:
        """A server that keeps no connection gets a new one for each call, and forks are safe."""
        client = make_curl(server.host, **ONCE)
        server.play(*[answer(200, {}, connection="close")] * 2)
        [get(client) for _ in range(2)]
        client._routes.default.pool.abandon()

        assert server.connections == 2
