"""The front of a worker over sockets: bounds, deadlines, queues and lost clients."""

import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.process_harness import PASSWORD, ProcessHarness, Running, call, wait_for
from tests.support.raw_http import (
    JSON,
    chunked,
    connect,
    exchange,
    head,
    read_to_end,
    send_slowly,
    status_of,
)

LIMIT = 65536
CLOSE = "Connection: close"


def new_user(name: str) -> bytes:
    """Return the body of a sign-up."""
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    return json.dumps(user).encode()


def sign_up(name: str) -> bytes:
    """Return a complete sign-up on a connection that is closed afterwards."""
    body = new_user(name)
    return head("POST", "/v1/users", JSON, f"Content-Length: {len(body)}", CLOSE) + body


def begin_sign_up(service: Running, body: bytes) -> socket.socket:
    """Send the head of a sign-up, and return the connection when the service reads its body."""
    connection = connect(service.port)
    headers = (JSON, f"Content-Length: {len(body)}", "Expect: 100-continue")
    connection.sendall(head("POST", "/v1/users", *headers))
    interim = b""
    while not interim.endswith(b"\r\n\r\n"):
        interim += connection.recv(1)
    assert interim.startswith(b"HTTP/1.1 100 ")
    return connection


def usernames(service: Running) -> set[str]:
    """Return the usernames of all users."""
    token = service.token_of("john")
    names: set[str] = set()
    path = "/v1/users?limit=100"
    while path:
        page = service.call("GET", path, token=token).body
        names |= {user["username"] for user in page["items"]}
        cursor = page["next_cursor"]
        path = f"/v1/users?limit=100&cursor={cursor}" if cursor else ""
    return names


def threads(service: Running) -> int:
    """Return the number of threads of all workers, after those have started that start late."""
    for _ in range(8):
        service.sign_in("jane")
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in service.workers)


@pytest.fixture(scope="module")
def service(tmp_path_factory, transport) -> Iterator[Running]:
    """A service with short deadlines, shared by the tests of this module."""
    harness = ProcessHarness(tmp_path_factory.mktemp("front"), transport)
    yield harness.serve(ROSTER_BODY_SECONDS="1s", ROSTER_KEEP_ALIVE="2s", ROSTER_RATE_LIMITS="off")
    harness.close()


class TestDelayedResponses:
    def test_no_thread_waits(self, harness):
        """M2: more failed sign-ins than threads are delayed, and a correct one passes them all."""
        service = harness.serve(
            ROSTER_RATE_LIMITS="off", ROSTER_WORKERS="1", ROSTER_FAILED_SIGN_IN_TIME="5s"
        )
        with contextlib.ExitStack() as stack:
            waiting = []
            for number in range(16):
                body = json.dumps({"login": f"unknown-{number}", "password": PASSWORD}).encode()
                length = f"Content-Length: {len(body)}"
                connection = stack.enter_context(connect(service.port))
                connection.sendall(head("POST", "/v1/sessions", JSON, length, CLOSE) + body)
                waiting.append(connection)

            assert service.sign_in("jane").status == 201
            answered, _, _ = select.select(waiting, [], [], 0)
            assert len(answered) < len(waiting)
            assert {status_of(read_to_end(each)) for each in waiting} == {401}

    def test_client_leaves(self, harness):
        """A client that disconnects before the delayed response disturbs nothing."""
        service = harness.serve(
            ROSTER_RATE_LIMITS="off", ROSTER_WORKERS="1", ROSTER_FAILED_SIGN_IN_TIME="1s"
        )
        body = json.dumps({"login": "unknown", "password": PASSWORD}).encode()
        request = head("POST", "/v1/sessions", JSON, f"Content-Length: {len(body)}") + body
        with connect(service.port) as connection:
            connection.sendall(request)

        assert service.call("POST", "/v1/sessions", {"login": "x", "password": "y"}).status == 401
        assert service.sign_in("jane").status == 201


class TestOAuth:
    @pytest.mark.parametrize("length, sent, status", [(70_000, b"x" * 70_000, 413), (10, b"", 408)])
    def test_errors(self, harness, length, sent, status):
        """RFC 6749, 5.2: the front rejects a body in the form that OAuth clients parse."""
        service = harness.serve(ROSTER_BODY_SECONDS="1s")
        form = "Content-Type: application/x-www-form-urlencoded"
        request = head("POST", "/oauth/introspect", form, f"Content-Length: {length}")
        response = exchange(service.port, request + sent)

        assert status_of(response) == status
        assert b"content-type: application/json" in response.lower()
        assert b'"error":"invalid_request"' in response


class TestBodies:
    def test_incomplete_bodies(self, service):
        """Security review, H2: clients that do not finish their bodies take no thread."""
        before = threads(service)
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                connection = stack.enter_context(connect(service.port))
                connection.sendall(
                    head("POST", "/v1/sessions", JSON, "Content-Length: 60000") + b"{"
                )

            assert service.call("GET", "/health/live").status == 200
            assert service.call("GET", "/health/ready").status == 200
            assert service.sign_in("jane").status == 201
            assert threads(service) == before

    @pytest.mark.parametrize(
        "framing, start",
        [("Content-Length: 100", b"{"), ("Transfer-Encoding: chunked", b"1\r\n{\r\n")],
    )
    def test_deadline(self, service, framing, start):
        """A body that is not complete in time is answered with 408, and the connection closed."""
        response = exchange(service.port, head("POST", "/v1/sessions", JSON, framing) + start)

        assert status_of(response) == 408
        assert b"/problems/request-timeout" in response

    def test_trickled_body(self, service):
        """The deadline is for the whole body, not for each part of it."""
        with connect(service.port) as connection:
            connection.sendall(head("POST", "/v1/sessions", JSON, "Content-Length: 1000"))
            with contextlib.suppress(OSError):
                send_slowly(connection, [b" "] * 15, 0.1)

            assert status_of(read_to_end(connection)) == 408

    @pytest.mark.parametrize(
        "length, expect",
        [(10_000_000, "X: a"), (10**18, "X: a"), (LIMIT + 1, "Expect: 100-continue")],
    )
    def test_declared_too_long(self, service, length, expect):
        """A long body, or one that waits for permission, is rejected before it is sent."""
        response = exchange(
            service.port, head("POST", "/v1/users", JSON, f"Content-Length: {length}", expect)
        )

        assert status_of(response) == 413
        assert b"/problems/payload-too-large" in response

    def test_public_url(self, tmp_path):
        """Errors of the front have the same types as those of the app."""
        with contextlib.closing(ProcessHarness(tmp_path)) as stage:
            service = stage.serve(ROSTER_PUBLIC_URL="https://a.example")
            request = head("POST", "/v1/users", JSON, f"Content-Length: {10**18}")
            response = exchange(service.port, request)

        assert status_of(response) == 413
        assert b'"https://a.example/problems/payload-too-large"' in response

    @pytest.mark.parametrize("length", [LIMIT + 1, 10 * LIMIT])
    def test_too_long(self, service, length):
        """A body somewhat over the limit is read to its end before the response."""
        request = head("POST", "/v1/users", JSON, f"Content-Length: {length}")
        response = exchange(service.port, request + b" " * length)

        assert status_of(response) == 413
        assert b"/problems/payload-too-large" in response

    @pytest.mark.parametrize("padding", [LIMIT, 10 * LIMIT])
    def test_chunks_too_long(self, service, padding):
        """Bug report 1: a body over the limit in chunks is 413, and stores nothing."""
        body = new_user("chunks") + b" " * padding + b'{"this is": "no JSON'
        parts = [body[at : at + 8000] for at in range(0, len(body), 8000)]
        request = head("POST", "/v1/users", JSON, "Transfer-Encoding: chunked")
        with connect(service.port) as connection:
            connection.sendall(request)
            with contextlib.suppress(OSError):
                connection.sendall(chunked(*parts, b"") + b"\r\n")
            response = read_to_end(connection)

        assert status_of(response) == 413
        assert "chunks" not in usernames(service)

    def test_chunks(self, service):
        """A body in chunks is accepted."""
        body = new_user("in-chunks")
        request = head("POST", "/v1/users", JSON, "Transfer-Encoding: chunked", CLOSE)
        response = exchange(service.port, request + chunked(body[:10], body[10:]) + b"0\r\n\r\n")

        assert status_of(response) == 201

    @pytest.mark.parametrize("end", [b"", b"ZZ\r\n", b"-1\r\n", b"0\r\nX-Trailer: 1\r\n\r\n"])
    def test_broken_chunks(self, service, end):
        """A complete JSON document in broken framing stores nothing."""
        request = head("POST", "/v1/users", JSON, "Transfer-Encoding: chunked", CLOSE)
        name = f"broken-{len(end)}"
        response = exchange(
            service.port, request + chunked(new_user(name)) + end, half_close=end == b""
        )

        assert status_of(response) in (400, 0)
        assert name not in usernames(service)

    def test_aborted_upload(self, service):
        """A client that disconnects in the middle of a body stores nothing."""
        body = new_user("aborted")
        with connect(service.port) as connection:
            connection.sendall(
                head("POST", "/v1/users", JSON, f"Content-Length: {len(body) + 1}") + body
            )
        time.sleep(0.2)

        assert "aborted" not in usernames(service)

    def test_both_framings(self, service):
        """RFC 9112, 6.1: with both framings the chunks count, and the connection is closed."""
        body = new_user("both-framings")
        request = head("POST", "/v1/users", JSON, "Content-Length: 5", "Transfer-Encoding: chunked")
        response = exchange(service.port, request + chunked(body) + b"0\r\n\r\n")

        assert status_of(response) == 201
        assert response.count(b"HTTP/1.1 ") == 1

    @pytest.mark.parametrize("length", ["-1", "1, 2", "1x", "+1"])
    def test_invalid_length(self, service, length):
        """An invalid length is rejected."""
        response = exchange(
            service.port, head("POST", "/v1/users", JSON, f"Content-Length: {length}") + b"{}"
        )

        assert status_of(response) == 400


class TestHeads:
    @pytest.mark.parametrize(
        "request_head, status",
        [
            (head("GET", "/health/live", host=None), 400),
            (head("GET", "/health/live", "Host: b"), 400),
            (head("GET", "/" + "a" * 70_000), 431),
            (head("GET", "/health/live", *(f"X-{number}: a" for number in range(300))), 431),
            (head("GET", "/health/live", f"X: {'a' * 300_000}"), 431),
            (b"GET /health/live\r\n\r\n", 400),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
            (head("GET", "/health/live", "Transfer-Encoding: gzip", CLOSE), 400),
        ],
    )
    def test_rejected(self, service, request_head, status):
        """Malformed and oversized heads are rejected, and the connection closed."""
        assert status_of(exchange(service.port, request_head)) == status

    def test_http_1_0(self, service):
        """HTTP/1.0 needs no Host."""
        assert status_of(exchange(service.port, b"GET /health/live HTTP/1.0\r\n\r\n")) == 200

    def test_pipelined_requests(self, service):
        """Pipelined requests are answered in their order."""
        first, last = head("GET", "/health/live"), head("GET", "/nowhere", CLOSE)
        response = exchange(service.port, first * 3 + last)

        assert [part[:3] for part in response.split(b"HTTP/1.1 ")[1:]] == [b"200"] * 3 + [b"404"]

    def test_no_server_name(self, service):
        """ASVS 13.4.6: no response names the server or its version."""
        for path in ("/health/live", "/health/ready", "/v1/users", "/nowhere"):
            response = exchange(service.port, head("GET", path, CLOSE)).lower()

            assert b"granian" not in response
            assert b"werkzeug" not in response

    @pytest.mark.parametrize(
        "method, path, field, status",
        [
            ("PATCH", "/v1/users/me", "If-Match", 412),
            ("POST", "/v1/users/me/api-keys", "Idempotency-Key", 422),
        ],
    )
    def test_unreadable_condition(self, service, method, path, field, status):
        """A condition beyond ASCII is not taken for a missing one: nothing is changed."""
        content = b'{"full_name": "Jane"}' if method == "PATCH" else b'{"name": "nightly"}'
        token = f"Authorization: Bearer {service.token_of('jane')}"
        fields = (JSON, token, f"{field}: \u00fcber-sixteen-letters", CLOSE)
        request = head(method, path, *fields, f"Content-Length: {len(content)}") + content

        assert status_of(exchange(service.port, request)) == status

    def test_slow_head(self, service):
        """A head that is not complete within the keep-alive time closes the connection."""
        with connect(service.port) as connection:
            with contextlib.suppress(OSError):
                send_slowly(connection, [b"G", b"E", b"T", *[b" "] * 30], 0.1)

            assert status_of(read_to_end(connection)) in (0, 400, 408)

    def test_idle_connection(self, service):
        """An idle connection is kept for the keep-alive time, and then closed."""
        with connect(service.port) as connection:
            connection.sendall(head("GET", "/health/live"))
            connection.recv(65536)
            time.sleep(1)
            connection.sendall(head("GET", "/health/live"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            started = time.monotonic()
            assert connection.recv(65536) == b""

        assert 1 < time.monotonic() - started < 10

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
    def test_head_method(self, service, path):
        """HEAD has the headers of GET and no body."""
        get = exchange(service.port, head("GET", path, CLOSE))
        response = exchange(service.port, head("HEAD", path, CLOSE))

        assert response.endswith(b"\r\n\r\n")
        assert b"content-length: 15" in get.lower()
        assert status_of(response) == 200

    def test_request_id(self, service):
        """The request ID of the client is in the response, also of the front itself."""
        for path in ("/health/live", "/nowhere"):
            response = exchange(service.port, head("GET", path, "X-Request-Id: abc-1", CLOSE))

            assert b"x-request-id: abc-1" in response.lower()


class TestQueues:
    def test_burst(self, harness: ProcessHarness):
        """A burst of sign-ups is served in order, without rejections and with live probes."""
        service = harness.serve(
            ROSTER_RATE_LIMITS="off", ROSTER_QUEUE_SECONDS="60s", ROSTER_WORKERS="1"
        )
        names = [f"burst-{number:03}" for number in range(64)]
        connections = [connect(service.port) for _ in names]
        for connection, name in zip(connections, names, strict=True):
            connection.sendall(sign_up(name))

        assert service.call("GET", "/health/live").status == 200
        assert service.call("GET", "/health/ready").status == 200
        responses = [read_to_end(connection) for connection in connections]
        for connection in connections:
            connection.close()
        assert Counter(map(status_of, responses)) == {201: 64}

    def test_queue_timeout(self, harness: ProcessHarness):
        """A request that waits too long is 503 with Retry-After, and no attempt is counted."""
        service = harness.serve(ROSTER_RATE_LIMITS="off", ROSTER_QUEUE_SECONDS="1s")
        token = service.token_of("jane")
        connections = [connect(service.port) for _ in range(400)]
        for number, connection in enumerate(connections):
            # Each login is another one: a locked one would be rejected without a hash.
            body = json.dumps({"login": f"unknown-{number}", "password": "wrong"}).encode()
            length = f"Content-Length: {len(body)}"
            connection.sendall(head("POST", "/v1/sessions", JSON, length, CLOSE) + body)
        responses = [read_to_end(connection) for connection in connections]
        for connection in connections:
            connection.close()
        counts = Counter(map(status_of, responses))
        late = next(response for response in responses if status_of(response) == 503)

        assert set(counts) == {401, 503}
        assert b"/problems/busy" in late
        assert b"retry-after: 1" in late.lower()
        assert service.call("GET", "/v1/users/me", token=token).status == 200

    def test_lost_clients(self, harness: ProcessHarness):
        """Queued requests of clients that have disconnected are dropped without a hash."""
        service = harness.serve(
            ROSTER_RATE_LIMITS="off", ROSTER_QUEUE_SECONDS="60s", ROSTER_WORKERS="1"
        )
        for number in range(200):
            with connect(service.port) as connection:
                connection.sendall(sign_up(f"lost-{number:03}"))
        wait_for(lambda: service.sign_in("john").status == 201, "the queue is empty")

        assert len([name for name in usernames(service) if name.startswith("lost-")]) < 100

    def test_reads_during_a_burst(self, harness: ProcessHarness):
        """Reads are served while sign-ups wait."""
        service = harness.serve(ROSTER_RATE_LIMITS="off", ROSTER_QUEUE_SECONDS="60s")
        token = service.token_of("jane")
        connections = [connect(service.port) for _ in range(128)]
        for number, connection in enumerate(connections):
            connection.sendall(sign_up(f"slow-{number:03}"))
        statuses = [
            call(service.port, "GET", "/v1/users/me", token=token).status for _ in range(20)
        ]
        connections[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            connections[-1].recv(1)
        for connection in connections:
            connection.close()

        assert statuses == [200] * 20

    def test_threads_are_not_lost(self, service):
        """Clients that disconnect in each lane leave no thread behind."""
        before = threads(service)

        def disconnect() -> None:
            for path in ("/v1/users/me", "/health/ready"):
                with connect(service.port) as connection:
                    connection.sendall(head("GET", path))
            with connect(service.port) as connection:
                connection.sendall(sign_up(f"gone-{threading.get_ident()}"))

        clients = [threading.Thread(target=disconnect) for _ in range(30)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()

        wait_for(lambda: service.sign_in("jane").status == 201, "the queue is empty")
        assert threads(service) == before


class TestStop:
    def test_body_after_sigterm(self, harness: ProcessHarness):
        """A request whose body arrives seconds after SIGTERM is served."""
        service = harness.serve(ROSTER_RATE_LIMITS="off")
        body = new_user("late-body")
        with begin_sign_up(service, body) as connection:
            service.send(signal.SIGTERM)
            time.sleep(2.5)
            connection.sendall(body)
            response = read_to_end(connection)

        assert status_of(response) == 201
        assert service.ended() == 0

    def test_incomplete_body(self, harness: ProcessHarness):
        """A body that is never completed delays the stop until its deadline, and not longer."""
        service = harness.serve(ROSTER_BODY_SECONDS="3s")
        with begin_sign_up(service, new_user("no-body")) as connection:
            service.send(signal.SIGTERM)
            response = read_to_end(connection)

        assert status_of(response) == 408
        assert service.ended() == 0

    def test_queue(self, harness: ProcessHarness):
        """Sign-ups that wait in the queue at SIGTERM are all served."""
        service = harness.serve(ROSTER_RATE_LIMITS="off", ROSTER_QUEUE_SECONDS="60s")
        bodies = [new_user(f"queued-{number:03}") for number in range(96)]
        connections = [begin_sign_up(service, body) for body in bodies]
        for connection, body in zip(connections, bodies, strict=True):
            connection.sendall(body)
        service.send(signal.SIGTERM)
        responses = [read_to_end(connection) for connection in connections]
        for connection in connections:
            connection.close()

        assert Counter(map(status_of, responses)) == {201: 96}
        assert service.ended() == 0
