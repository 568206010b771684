"""Roster behind nginx and HAProxy: addresses, bodies, prefixes and lost clients."""

import contextlib
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import (
    DEMO_PASSWORD,
    HERE,
    ProcessHarness,
    Running,
    call,
    free_port,
    wait_for,
)
from tests.support.raw_http import JSON, connect, exchange, head, read_to_end, status_of

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("haproxy")),
    reason="nginx and HAProxy are Debian packages; the check of each change installs them",
)

# Nearly empty configurations: what an operator starts with.
NGINX = """\
user root; daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {extra}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https;
    }}
    location /accounts/ {{
      proxy_pass http://127.0.0.1:{upstream}/;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Prefix /accounts;
    }}
  }}
}}
"""
HAPROXY = """\
global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:{port}
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Prefix /accounts if {{ path_beg /accounts/ }}
  http-request replace-path /accounts/(.*) /\\1
  default_backend roster
backend roster
  server one 127.0.0.1:{upstream}
"""


def start_nginx(harness: ProcessHarness, upstream: int, extra: str = "") -> Running:
    """Start nginx in front of a port."""
    port = free_port()
    folder = harness.folder / f"nginx-{port}"
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, extra=extra))
    return harness.start(shutil.which("nginx"), "-p", folder, "-c", path, port=port)


def start_haproxy(harness: ProcessHarness, upstream: int) -> Running:
    """Start HAProxy in front of a port."""
    port = free_port()
    path = harness.folder / f"haproxy-{port}.cfg"
    path.write_text(HAPROXY.format(port=port, upstream=upstream))
    return harness.start(shutil.which("haproxy"), "-db", "-f", path, port=port)


def is_listening(port: int) -> bool:
    """Return whether a port accepts connections."""
    with contextlib.suppress(OSError), socket.create_connection((HERE, port)):
        return True
    return False


@pytest.fixture(scope="module")
def harness(tmp_path_factory, transport) -> Iterator[ProcessHarness]:
    """A harness for the proxies of this module."""
    harness = ProcessHarness(Path(tmp_path_factory.mktemp("proxies")), transport, is_covered=False)
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def service(harness) -> Running:
    """A service that trusts the proxies on this computer."""
    return harness.serve(
        ROSTER_TRUSTED_PROXIES="127.0.0.1", ROSTER_BODY_SECONDS="2s", ROSTER_KEEP_ALIVE="75s"
    )


@pytest.fixture(scope="module", params=[start_nginx, start_haproxy], ids=["nginx", "haproxy"])
def proxy(request, harness, service) -> Running:
    """A proxy in front of the service."""
    proxy = request.param(harness, service.port)
    wait_for(lambda: is_listening(proxy.port), f"{proxy.said} listens")
    return proxy


def sign_in_from(proxy: Running, *headers: str, source: str = "127.0.0.2") -> str | None:
    """Sign in through a proxy from an address, and return the address of the session."""
    body = json.dumps({"login": "jane", "password": DEMO_PASSWORD}).encode()
    request = head(
        "POST", "/v1/sessions", JSON, f"Content-Length: {len(body)}", "Connection: close", *headers
    )
    with socket.create_connection((HERE, proxy.port), source_address=(source, 0)) as connection:
        connection.sendall(request + body)
        response = read_to_end(connection)
    assert status_of(response) == 201, response
    token = json.loads(response.partition(b"\r\n\r\n")[2])["token"]
    sessions = call(proxy.port, "GET", "/v1/sessions", token=token).body["items"]
    return next(session["ip"] for session in sessions if session["current"])


class TestAddress:
    def test_client(self, proxy):
        """The address of the client is that of its connection to the proxy."""
        assert sign_in_from(proxy) == "127.0.0.2"

    @pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "X-Forwarded_For"])
    def test_spoofed(self, proxy, name):
        """Security review, M1: no spelling of the header field lets a client choose its address."""
        assert sign_in_from(proxy, f"{name}: 6.6.6.6") == "127.0.0.2"

    def test_several_lines(self, proxy):
        """RFC 9110, 5.3: several lines of the header field are one list."""
        spoofed = ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7"]

        assert sign_in_from(proxy, *spoofed) == "127.0.0.2"


class TestLocation:
    def test_prefix(self, proxy):
        """Below a path, links and pages have the prefix."""
        page = call(proxy.port, "GET", "/accounts/openapi.json")
        token = call(
            proxy.port,
            "POST",
            "/accounts/v1/sessions",
            {"login": "john", "password": DEMO_PASSWORD},
        ).body["token"]
        listed = exchange(
            proxy.port,
            head(
                "GET",
                "/accounts/v1/users?limit=1",
                f"Authorization: Bearer {token}",
                "Connection: close",
            ),
        )

        assert page.body["servers"][0]["url"] == "/accounts"
        assert b"</accounts/v1/users?" in listed

    def test_prefix_of_a_client(self, service):
        """A client cannot choose the prefix: the service trusts the proxy's only through it."""
        request = head("GET", "/", "X-Forwarded-Prefix: //evil.example", "Connection: close")

        assert b"evil" not in exchange(service.port, request)


class TestBodies:
    def test_incomplete_bodies(self, proxy):
        """Incomplete bodies of many clients stop neither the proxy nor the service."""
        with contextlib.ExitStack() as stack:
            for _ in range(60):
                connection = stack.enter_context(connect(proxy.port))
                connection.sendall(
                    head("POST", "/v1/sessions", JSON, "Content-Length: 60000") + b"{"
                )

            assert call(proxy.port, "GET", "/health/live").status == 200
            assert call(proxy.port, "GET", "/health/ready").status == 200

    def test_too_long(self, proxy):
        """A body over the limit is 413, and the next request of the client is served."""
        request = head("POST", "/v1/users", JSON, "Content-Length: 70000", "Connection: close")
        with connect(proxy.port) as connection:
            connection.sendall(request + b" " * 70_000)
            response = read_to_end(connection)

        assert status_of(response) == 413
        assert call(proxy.port, "GET", "/health/live").status == 200

    def test_chunks(self, proxy):
        """A body in chunks arrives complete."""
        name = f"chunks-{proxy.port}"
        body = json.dumps(
            {"username": name, "email": f"{name}@example.com", "password": DEMO_PASSWORD}
        ).encode()
        request = head("POST", "/v1/users", JSON, "Transfer-Encoding: chunked", "Connection: close")
        response = exchange(proxy.port, request + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

        assert status_of(response) == 201


class TestUnbufferedNginx:
    def test_incomplete_bodies(self, harness, service):
        """Without request buffering in nginx the service buffers by itself."""
        proxy = start_nginx(harness, service.port, "proxy_request_buffering off;")
        wait_for(lambda: is_listening(proxy.port), "nginx listens")
        with contextlib.ExitStack() as stack:
            for _ in range(60):
                connection = stack.enter_context(connect(proxy.port))
                connection.sendall(
                    head("POST", "/v1/sessions", JSON, "Content-Length: 60000") + b"{"
                )

            assert service.call("GET", "/health/live").status == 200
            assert call(proxy.port, "GET", "/health/ready").status == 200


def test_dual_stack(tmp_path, transport):
    """On a dual-stack listener an IPv4 proxy is trusted, and the address of its client is IPv4."""
    with contextlib.closing(ProcessHarness(tmp_path, transport, is_covered=False)) as harness:
        service = harness.serve_on("::ffff:127.0.0.1", ROSTER_TRUSTED_PROXIES="127.0.0.1")
        proxy = start_haproxy(harness, service.port)
        wait_for(lambda: is_listening(proxy.port), "HAProxy listens")

        assert sign_in_from(proxy) == "127.0.0.2"
