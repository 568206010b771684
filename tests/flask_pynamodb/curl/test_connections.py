"""Connections: certificates, proxies, timeouts, and how many are kept."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    SSLError,
)

from flask_pynamodb.curl import CurlClient
from flask_pynamodb.curl.endpoint import Proxy
from flask_pynamodb.curl.http import _FRESH
from flask_pynamodb.local import Engine
from tests.flask_pynamodb.curl.conftest import TRANSPORTS
from tests.support.certificates import Authority, make_authority
from tests.support.scripted_server import (
    Exchange,
    Reply,
    ScriptedServer,
    answer,
    reset_before,
    tunnel,
)

ONCE = {"retries": {"total_max_attempts": 1, "mode": "standard"}}
KEY = {"id": {"S": "1"}}


def get(client: Any, table: str = "a-table") -> Any:
    return client._make_api_call("GetItem", {"TableName": table, "Key": KEY})


def failure_of(client: Any) -> str:
    with pytest.raises(ConnectionClosedError) as caught:
        get(client)
    return str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@pytest.fixture
def make_client(make_botocore: Any, make_curl: Any, transport: str) -> Any:
    """Makes clients of the test's transport, which try once."""

    def make(endpoint_url: str, **config: Any) -> Any:
        maker = make_curl if transport == "curl" else make_botocore
        return maker(endpoint_url, **{**ONCE, **config})

    return make


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tls_server(authority: Authority, tmp_path: Path) -> Iterator[ScriptedServer]:
    """Speaks TLS as 127.0.0.1."""
    with ScriptedServer(context=authority.server_context(tmp_path, "127.0.0.1")) as server:
        yield server


class TestTls:
    @pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
    def test_a_bundle_of_ones_own_vouches(
        self,
        variable: str,
        authority: Authority,
        tls_server: ScriptedServer,
        make_client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The variables that name a bundle for botocore name it for both."""
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        monkeypatch.setenv(variable, str(authority.bundle))
        tls_server.play(answer(200, {"Item": KEY}), answer(200, {"Item": KEY}))
        client = make_client(tls_server.host)

        assert [get(client)["Item"] for _ in range(2)] == [KEY, KEY]
        assert tls_server.connections == 1

    def test_a_stranger_is_refused(
        self, tls_server: ScriptedServer, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is sent to a server with an untrusted certificate."""
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        with pytest.raises(SSLError):
            get(make_client(tls_server.host))

        assert tls_server.requests == []

    def test_another_name_is_refused(
        self,
        authority: Authority,
        tmp_path: Path,
        make_client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A certificate is good for its own host only."""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        context = authority.server_context(tmp_path, "db.example")
        with ScriptedServer(context=context) as server, pytest.raises(SSLError):
            get(make_client(server.host))

        assert server.requests == []

    def test_old_tls_is_refused(
        self,
        authority: Authority,
        tmp_path: Path,
        make_client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """TLS 1.2 is the least."""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        context = authority.server_context(tmp_path, "127.0.0.1")
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with ScriptedServer(context=context) as server, pytest.raises(SSLError):
            get(make_client(server.host))

        assert server.requests == []

    def test_a_bundle_that_is_not_there_is_an_error(
        self, tls_server: ScriptedServer, make_curl: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A certificate is not trusted by default."""
        monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/bundle.pem")
        with pytest.raises(SSLError):
            get(make_curl(tls_server.host, **ONCE))

        assert tls_server.requests == []

    @pytest.mark.parametrize("is_in_one_file", [False, True])
    def test_a_client_certificate_is_shown(
        self,
        is_in_one_file: bool,
        authority: Authority,
        tmp_path: Path,
        make_client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A gateway may want to know its clients, by two files or by one with both."""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        context = authority.server_context(tmp_path, "127.0.0.1")
        context.load_verify_locations(authority.bundle)
        context.verify_mode = ssl.CERT_REQUIRED
        pair = [str(path) for path in authority.issue(tmp_path, "client.example")]
        both = tmp_path / "both.pem"
        both.write_text("".join(Path(path).read_text() for path in pair))
        certificate = str(both) if is_in_one_file else tuple(pair)
        with ScriptedServer(context=context) as server:
            server.play(answer(200, {"Item": KEY}))

            assert get(make_client(server.host, client_cert=certificate))["Item"] == KEY

    def test_can_be_switched_off(self, tls_server: ScriptedServer, make_botocore: Any) -> None:
        """A client that was made with `verify=False` takes any certificate."""
        careless = make_botocore(tls_server.host, **ONCE)
        careless._endpoint.http_session._verify = False
        tls_server.play(answer(200, {"Item": KEY}))

        assert get(CurlClient(careless))["Item"] == KEY


class TestProxy:
    def test_is_taken_from_the_environment(
        self, server: ScriptedServer, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even to an address of this host, as botocore does, and with its credentials."""
        monkeypatch.setenv("HTTP_PROXY", f"http://user:p%40ss@{server.netloc}")
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        server.play(answer(200, {"Item": KEY}))

        assert get(make_client("http://db.example:8000/v1"))["Item"] == KEY
        assert server.requests[0].line == "POST http://db.example:8000/v1 HTTP/1.1"
        assert server.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
        assert server.requests[0].headers["host"] == "db.example:8000"

    def test_is_left_out_for_hosts_without_one(
        self, server: ScriptedServer, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NO_PROXY names them."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server.play(answer(200, {"Item": KEY}))

        assert get(make_client(server.host))["Item"] == KEY

    def test_is_the_clients_own_before_the_environments(
        self, server: ScriptedServer, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the code says wins, NO_PROXY included."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "db.example")
        server.play(answer(200, {"Item": KEY}))

        assert get(make_client("http://db.example", proxies={"http": server.netloc}))["Item"] == KEY

    def test_carries_tls_through_a_tunnel(
        self,
        server: ScriptedServer,
        tls_server: ScriptedServer,
        authority: Authority,
        make_client: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The proxy sees neither the signature nor the item."""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
        monkeypatch.setenv("HTTPS_PROXY", server.host)
        monkeypatch.setenv("NO_PROXY", "")
        server.play(tunnel)
        tls_server.play(answer(200, {"Item": KEY}))
        client = make_client(tls_server.host)

        assert get(client)["Item"] == KEY
        assert server.requests[0].line.startswith(f"CONNECT {tls_server.netloc} ")
        assert "authorization" not in server.requests[0].headers
        client.close()

    @pytest.mark.parametrize("speaks", ["http", "https"])
    def test_that_is_away_is_an_error_of_its_own(
        self, speaks: str, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The error has the address of the proxy, but not its password."""
        monkeypatch.setenv(f"{speaks.upper()}_PROXY", "http://user:secret@127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(ProxyConnectionError, match=r"127\.0\.0\.1:9") as caught:
            get(make_client(f"{speaks}://db.example"))

        assert "secret" not in str(caught.value)

    def test_that_refuses_is_an_error_of_its_own(
        self, server: ScriptedServer, make_client: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A tunnel that is not dug is not an answer of DynamoDB's."""
        monkeypatch.setenv("HTTPS_PROXY", server.host)
        monkeypatch.setenv("NO_PROXY", "")
        server.play(answer(407, b""))
        with pytest.raises(ProxyConnectionError):
            get(make_client("https://db.example"))

    def test_may_speak_tls_itself(
        self,
        tls_server: ScriptedServer,
        authority: Authority,
        tmp_path: Path,
        make_curl: Any,
    ) -> None:
        """With a bundle that vouches for it, and a certificate that it wants to see."""
        pair = tuple(str(path) for path in authority.issue(tmp_path, "client.example"))
        tls_server.play(answer(200, {"Item": KEY}))
        client = make_curl(
            "http://db.example",
            proxies={"http": tls_server.host},
            proxies_config={
                "proxy_ca_bundle": str(authority.bundle),
                "proxy_client_cert": pair,
            },
            **ONCE,
        )

        assert get(client)["Item"] == KEY

    def test_password_is_masked(self) -> None:
        """In errors, and so in logs."""
        assert (
            Proxy("http://u:p@proxy.example:1", None, None).masked_url == "http://proxy.example:1"
        )


class TestTimeouts:
    def test_nobody_there(self, make_client: Any) -> None:
        """A port without a listener is an endpoint connection error."""
        with pytest.raises(EndpointConnectionError, match=r"127\.0\.0\.1:9"):
            get(make_client("http://127.0.0.1:9"))

    def test_no_such_host(self, make_client: Any) -> None:
        """So is an unknown host name."""
        with pytest.raises(EndpointConnectionError, match=r"db\.invalid"):
            get(make_client("http://db.invalid"))

    def test_nobody_accepts(self, silent_port: int, make_client: Any) -> None:
        """The connect timeout ends the wait for a connection."""
        with pytest.raises(ConnectTimeoutError):
            get(make_client(f"http://127.0.0.1:{silent_port}", connect_timeout=0.1))

    def test_deadline_is_shorter(self, silent_port: int, make_curl: Any) -> None:
        """A call's own deadline ends a try that has more time left."""
        hurried = {"curl": {"deadline_seconds": 0.1}, **ONCE}
        with pytest.raises(ConnectTimeoutError):
            get(make_curl(f"http://127.0.0.1:{silent_port}", **hurried))

    def test_without_timeouts_an_answer_is_waited_for(
        self, server: ScriptedServer, make_client: Any
    ) -> None:
        """Both can be switched off."""
        server.play(answer(200, {"Item": KEY}))

        assert get(make_client(server.host, connect_timeout=None, read_timeout=None))["Item"] == KEY

    def test_error_tells_the_tries(self, make_curl: Any) -> None:
        """What signals and logs count is there without a reply too."""
        waits: list[float] = []
        with pytest.raises(EndpointConnectionError) as caught:
            get(make_curl("http://127.0.0.1:9", curl={"sleep": waits.append}))

        assert caught.value.kwargs["RetryAttempts"] == len(waits) == 3
        assert caught.value.kwargs["MaxAttemptsReached"] is True


class TestPool:
    def test_a_connection_is_used_again(self, server: ScriptedServer, make_curl: Any) -> None:
        """One caller after the other needs one connection."""
        client = make_curl(server.host)
        server.play(*[answer(200, {})] * 5)
        [get(client) for _ in range(5)]

        assert server.connections == 1

    def test_as_many_are_kept_as_were_asked_for(
        self, server: ScriptedServer, make_curl: Any
    ) -> None:
        """Eight at a time are served by eight, of which two are kept."""
        client = make_curl(server.host, max_pool_connections=2)
        everybody = threading.Barrier(8, timeout=10)

        def wait_for_all(exchange: Any) -> None:
            everybody.wait()
            answer(200, {})(exchange)

        server.play(*[wait_for_all] * 8)
        threads = [threading.Thread(target=get, args=(client,)) for _ in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        server.play(*[answer(200, {})] * 2)
        [get(client) for _ in range(2)]

        assert server.connections == 8
        assert len(client._routes.default.pool._idle) == 2

    @pytest.mark.parametrize("transport", TRANSPORTS)
    @pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
    def test_one_that_the_server_has_closed(
        self,
        server: ScriptedServer,
        make_curl: Any,
        make_botocore: Any,
        transport: str,
        is_reset: bool,
    ) -> None:
        """A kept connection that was closed meanwhile is replaced, without a retry."""

        def answer_and_close(exchange: Exchange) -> None:
            exchange.send(Reply())
            exchange.is_over = True
            if is_reset:
                exchange.reset()

        server.play(answer_and_close, answer(200, {}))
        client = {"curl": make_curl, "botocore": make_botocore}[transport](server.host, **ONCE)
        get(client)
        server.wait_until_closed()
        time.sleep(2 * _FRESH)
        response = get(client)

        assert response["ResponseMetadata"]["RetryAttempts"] == 0
        assert server.connections == 2

    def test_one_that_brought_garbage_is_given_up(
        self, server: ScriptedServer, make_curl: Any
    ) -> None:
        """The rest of the stream could be taken for the response to another request."""
        client = make_curl(server.host, curl={"sleep": lambda wait: None})
        server.play(answer(200, b"garbage"), answer(200, {}))
        get(client)

        assert server.connections == 2

    def test_keep_alive_probes_are_sent_if_asked_for(
        self, server: ScriptedServer, make_curl: Any
    ) -> None:
        """The setting is botocore's."""
        client = make_curl(server.host, tcp_keepalive=True)
        server.play(answer(200, {}))
        get(client)
        descriptor = os.dup(client._routes.default.pool._idle[0]._socket)
        with socket.socket(fileno=descriptor) as connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1

    def test_no_descriptors_leak(self, dynamodb_engine: Engine, table: str, make_curl: Any) -> None:
        """Ten thousand calls later the process has as many files open as before."""
        client = make_curl(dynamodb_engine.host)
        get(client, table)
        before = len(os.listdir("/proc/self/fd"))
        [get(client, table) for _ in range(10_000)]

        assert len(os.listdir("/proc/self/fd")) <= before

    def test_failures_leak_no_descriptors(self, server: ScriptedServer, make_curl: Any) -> None:
        """Connections that broke are closed for good."""
        client = make_curl(server.host, **ONCE)
        before = len(os.listdir("/proc/self/fd"))
        server.play(*[reset_before] * 50)
        [failure_of(client) for _ in range(50)]
        server.wait_until_closed()

        assert len(os.listdir("/proc/self/fd")) <= before
