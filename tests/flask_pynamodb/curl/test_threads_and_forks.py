"""One client in many threads, and in processes that were forked from it."""

import os
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

from flask_pynamodb.curl import CurlClient
from flask_pynamodb.local import Engine
from tests.support.certificates import make_authority
from tests.support.scripted_server import ScriptedServer, answer

THREADS, CALLS = 16, 200


def put(client: CurlClient, table: str, name: str, value: str) -> None:
    item = {"id": {"S": name}, "value": {"S": value}}
    client._make_api_call("PutItem", {"TableName": table, "Item": item})


def read(client: CurlClient, table: str, name: str) -> str:
    answer = client._make_api_call("GetItem", {"TableName": table, "Key": {"id": {"S": name}}})
    return str(answer["Item"]["value"]["S"])


def fork(work: Callable[[], None]) -> int:
    """Start it in a fork of this process, which exits with 0 if nothing was raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            _save_coverage()
            status = 0
        finally:
            os._exit(status)
    return child


def _save_coverage() -> None:
    # os._exit() leaves no time for it, and what runs after a fork runs in children only. coverage
    # could do it by itself (patch = _exit), but for every process there is, also amid a signal.
    if coverage := Coverage.current():
        coverage.save()


def status_of(child: int) -> int:
    """Wait for its end."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def expect(actual: Any, wanted: Any) -> None:
    """An assert for children."""
    assert actual == wanted


@pytest.fixture
def tls_server(
    dynamodb_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    """The engine behind TLS."""
    authority = make_authority(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    context: ssl.SSLContext = authority.server_context(tmp_path, "127.0.0.1")
    with ScriptedServer(dynamodb_engine.host, context) as server:
        yield server


class TestThreads:
    def test_each_gets_its_own_answers(
        self, dynamodb_engine: Engine, table: str, make_curl: Any
    ) -> None:
        """16 threads with 200 calls each read their own writes and nothing else."""
        client = make_curl(dynamodb_engine.host)

        def work(number: int) -> list[str]:
            found = []
            for call in range(CALLS // 2):
                put(client, table, f"thread {number}", f"{number}-{call}")
                found.append(read(client, table, f"thread {number}"))
            return found

        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(work, range(THREADS)))

        assert answers == [
            [f"{number}-{call}" for call in range(CALLS // 2)] for number in range(THREADS)
        ]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
class TestForks:
    def test_parent_and_child_go_on(
        self, dynamodb_engine: Engine, table: str, make_curl: Any
    ) -> None:
        """At the same time, each on connections of its own, with its own answers."""
        client = make_curl(dynamodb_engine.host)
        put(client, table, "parent", "parent")
        put(client, table, "child", "child")

        def child() -> None:
            expect([read(client, table, "child") for _ in range(200)], ["child"] * 200)

        children = [fork(child) for _ in range(2)]
        answers = [read(client, table, "parent") for _ in range(200)]

        assert answers == ["parent"] * 200
        assert [status_of(child) for child in children] == [0, 0]

    def test_a_fork_in_the_midst_of_calls(
        self, dynamodb_engine: Engine, table: str, make_curl: Any
    ) -> None:
        """The child of a fork starts without the calls of other threads."""
        client = make_curl(dynamodb_engine.host)
        put(client, table, "parent", "parent")
        put(client, table, "child", "child")

        def child() -> None:
            expect([read(client, table, "child") for _ in range(20)], ["child"] * 20)

        with ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(read, client, table, "parent") for _ in range(400)]
            statuses = [status_of(fork(child)) for _ in range(5)]

        assert statuses == [0] * 5
        assert {answer.result() for answer in answers} == {"parent"}

    def test_the_parents_connection_outlives_the_child(
        self, tls_server: ScriptedServer, table: str, make_curl: Any
    ) -> None:
        """A child that ends, and so closes everything, says no farewell on the parent's TLS."""
        client = make_curl(tls_server.host)
        put(client, table, "parent", "before")

        def child() -> None:
            expect(read(client, table, "parent"), "before")
            client.close()

        status = status_of(fork(child))

        assert status == 0
        assert read(client, table, "parent") == "before"
        assert tls_server.connections == 2

    def test_the_child_keeps_no_hold_on_the_parents_connection(
        self, server: ScriptedServer, table: str, make_curl: Any
    ) -> None:
        """When the parent closes it, the server sees it closed, however long the child lives."""
        client = make_curl(server.host)
        put(client, table, "parent", "before")
        reader, writer = os.pipe()
        is_forked, tell = os.pipe()

        def child() -> None:
            os.close(writer)
            os.write(tell, b"!")
            os.read(reader, 1)

        forked = fork(child)
        os.read(is_forked, 1)
        client.close()
        server.wait_until_closed()
        gone = not server.is_open
        os.close(writer)
        status_of(forked)
        [os.close(end) for end in (reader, is_forked, tell)]

        assert gone

    def test_a_connection_that_is_closed_already(
        self, server: ScriptedServer, table: str, make_curl: Any
    ) -> None:
        """Where there is nothing to let go of, nothing is."""
        client = make_curl(server.host)
        put(client, table, "all", "the same")
        server.play(answer(200, {"Item": {}}, connection="close"))
        client._make_api_call("GetItem", {"TableName": table, "Key": {"id": {"S": "all"}}})

        def child() -> None:
            expect(read(client, table, "all"), "the same")

        assert status_of(fork(child)) == 0
        assert read(client, table, "all") == "the same"

    def test_a_child_may_fork_again(
        self, dynamodb_engine: Engine, table: str, make_curl: Any
    ) -> None:
        """Preloading servers fork workers, which fork helpers."""
        client = make_curl(dynamodb_engine.host)
        put(client, table, "all", "the same")

        def grandchild() -> None:
            expect(read(client, table, "all"), "the same")

        def child() -> None:
            grandchild()
            expect(status_of(fork(grandchild)), 0)
            grandchild()

        assert status_of(fork(child)) == 0
