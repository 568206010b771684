"""examples/gateways with the real nginx and Caddy: forged header fields never reach the service."""

import http.client
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.test_reverse_proxies import is_listening
from tests.support.documents import ROOT
from tests.support.process_harness import (
    DEMO_PASSWORD,
    HERE,
    ProcessHarness,
    Running,
    call,
    free_port,
    wait_for,
)

EXAMPLES = ROOT / "examples" / "gateways"
NGINX = """\
user root; daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  include {example};
}}
"""
FIELDS = (
    "X-User-Id",
    "X-User-Name",
    "X-User-Roles",
    "X-User-Email-Verified",
    "X-Session-Id",
    "X-Auth-Methods",
    "X-Access-Token",
)


class Echo(http.server.BaseHTTPRequestHandler):
    """A service that responds with the header fields that reach it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(list(self.headers.items())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def configured(name: str, folder: Path, ports: dict[int, int]) -> Path:
    """Write an example with the ports of this test."""
    text = (EXAMPLES / name).read_text()
    for documented, actual in ports.items():
        assert f"{HERE}:{documented}" in text
        text = text.replace(f"{HERE}:{documented}", f"{HERE}:{actual}")
    path = folder / name
    path.write_text(text)
    return path


def start_nginx(harness: ProcessHarness, example: Path, port: int) -> Running:
    folder = example.parent
    path = folder / "main.conf"
    path.write_text(NGINX.format(folder=folder, example=example))
    return harness.start(shutil.which("nginx"), "-p", folder, "-c", path, port=port)


def start_caddy(harness: ProcessHarness, example: Path, port: int) -> Running:
    options = ("run", "--adapter", "caddyfile", "--config", example)
    return harness.start(
        shutil.which("caddy"), *options, port=port, XDG_DATA_HOME=str(example.parent)
    )


GATEWAYS = [
    pytest.param(
        (name, program, start),
        id=program,
        marks=pytest.mark.skipif(
            not shutil.which(program),
            reason=f"{program} is a Debian package; the check of each change installs it",
        ),
    )
    for name, program, start in (
        ("nginx.conf", "nginx", start_nginx),
        ("Caddyfile", "caddy", start_caddy),
    )
]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[ProcessHarness]:
    """A harness for the gateways of this module."""
    harness = ProcessHarness(Path(tmp_path_factory.mktemp("gateways")), transport, is_covered=False)
    yield harness
    harness.close()


@pytest.fixture(scope="module")
def roster(harness: ProcessHarness) -> Running:
    """Roster with the demo users."""
    return harness.serve(ROSTER_TRUSTED_PROXIES="127.0.0.1")


@pytest.fixture(scope="module")
def service() -> Iterator[int]:
    """Return the port of a service behind the gateway."""
    server = http.server.ThreadingHTTPServer((HERE, 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module", params=GATEWAYS)
def gateway(
    request: pytest.FixtureRequest,
    harness: ProcessHarness,
    roster: Running,
    service: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Running:
    """A gateway in front of the service."""
    name, program, start = request.param
    folder = tmp_path_factory.mktemp(program)
    port = free_port()
    example = configured(name, folder, {8000: port, 8080: roster.port, 3000: service})
    gateway = start(harness, example, port)
    wait_for(lambda: is_listening(gateway.port), f"{program} listens")
    return gateway


def sign_in(roster: Running, login: str) -> dict[str, Any]:
    """Return a new session."""
    credentials = {"login": login, "password": DEMO_PASSWORD}
    opened: dict[str, Any] = call(roster.port, "POST", "/v1/sessions", credentials).body
    return opened


def ask(
    gateway: Running,
    token: str | None,
    *fields: tuple[str, str],
    path: str = "/orders",
    method: str = "GET",
    body: str | None = None,
) -> tuple[int, list[tuple[str, str]], http.client.HTTPResponse]:
    """Send a request; return the status and the header fields that the service has received."""
    connection = http.client.HTTPConnection(HERE, gateway.port, timeout=20)
    connection.putrequest(method, path)
    if token:
        connection.putheader("Authorization", f"Bearer {token}")
    for name, value in fields:
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body.encode() if body else None)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    received = json.loads(content) if response.status == 200 else []
    return response.status, [(name, value) for name, value in received], response


def normalized(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return header fields as a CGI or WSGI program sees them: underscores are hyphens."""
    seen: dict[str, list[str]] = {}
    for name, value in fields:
        seen.setdefault(name.lower().replace("_", "-"), []).append(value)
    return seen


class TestGranted:
    def test_user(self, gateway, roster):
        """The service gets the user in header fields, and no token."""
        opened = sign_in(roster, "jane")
        status, fields, _ = ask(gateway, opened["token"])

        seen = normalized(fields)
        assert status == 200
        assert seen["x-user-id"] == [opened["user"]["id"]]
        assert seen["x-user-name"] == ["jane"]
        assert seen["x-user-roles"] == ["user"]
        assert seen["x-session-id"] == [opened["id"]]
        assert seen["x-auth-methods"] == ["pwd"]
        assert opened["token"] not in str(fields)

    @pytest.mark.parametrize("name", FIELDS)
    @pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
    @pytest.mark.parametrize("separators", ["-", "_", "-_", "_-"])
    def test_forged(self, gateway, roster, name, spelling, separators):
        """No spelling of a header field lets a client choose what the service sees."""
        opened = sign_in(roster, "jane")
        words = name.split("-")
        forged = spelling(
            words[0]
            + "".join(
                separators[number % len(separators)] + word for number, word in enumerate(words[1:])
            )
        )
        status, fields, _ = ask(gateway, opened["token"], (forged, "forged"), (forged, "forged"))

        assert status == 200
        assert "forged" not in str(normalized(fields).get(name.lower()))
        assert "forged" not in str(fields)

    def test_forged_for_a_key(self, gateway, roster):
        """Where Roster has no value, the client's own does not take its place."""
        opened = sign_in(roster, "john")
        made = call(
            roster.port,
            "POST",
            "/v1/users/me/api-keys",
            {"name": "nightly", "roles": []},
            token=opened["token"],
        )
        forged = [(name, "admin") for name in FIELDS]
        status, fields, _ = ask(gateway, made.body["key"], *forged)

        assert made.status in (201, 403), made.body
        assert status == 200
        assert "admin" not in str([value for name, value in fields if name.lower() != "host"])

    def test_body(self, gateway, roster):
        """A request with a body reaches the service; Roster never sees the body."""
        status, _, _ = ask(
            gateway, sign_in(roster, "jane")["token"], method="POST", body="x" * 100_000
        )

        assert status == 200


class TestRejected:
    @pytest.mark.parametrize("token", [None, "rst_none", "x"])
    def test_token(self, gateway, token):
        """Without an active token the service is not reached."""
        status, _, response = ask(gateway, token, *((name, "forged") for name in FIELDS))

        assert status == 401
        assert response.headers.get_all("WWW-Authenticate") is not None
        assert len(response.headers.get_all("WWW-Authenticate")) == 1

    def test_signed_out(self, gateway, roster):
        """A session that has ended is rejected by the next request."""
        token = sign_in(roster, "jane")["token"]
        before = ask(gateway, token)[0]
        call(roster.port, "DELETE", "/v1/sessions/current", token=token)

        assert (before, ask(gateway, token)[0]) == (200, 401)

    def test_role(self, gateway, roster):
        """A path for admins is closed to others, whatever they send."""
        forged = ("X-User-Roles", "admin")
        statuses = [
            ask(gateway, sign_in(roster, login)["token"], forged, path="/admin/x?role=user")[0]
            for login in ("jane", "john")
        ]

        assert statuses == [403, 200]
