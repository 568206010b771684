"""examples/services, each in front of a running Roster."""

import runpy
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from flask.testing import FlaskClient

from tests.support.documents import DOCS, ROOT, blocks
from tests.support.process_harness import (
    DEMO_PASSWORD,
    HERE,
    ProcessHarness,
    Running,
    call,
    free_port,
)

AUDIENCE = "https://orders.example.com"
EXAMPLE = ROOT / "examples" / "services" / "flask_app.py"


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[Running]:
    """Roster with the demo users."""
    harness = ProcessHarness(Path(tmp_path_factory.mktemp("services")), transport, is_covered=False)
    yield harness.serve()
    harness.close()


def sign_in(roster: Running, login: str) -> dict[str, Any]:
    """Return a new session."""
    credentials = {"login": login, "password": DEMO_PASSWORD}
    opened: dict[str, Any] = call(roster.port, "POST", "/v1/sessions", credentials).body
    return opened


def sign_out(roster: Running, token: str) -> None:
    assert call(roster.port, "DELETE", "/v1/sessions/current", token=token).status == 204


@pytest.fixture(scope="module")
def credentials(roster: Running) -> dict[str, str]:
    """Return the environment of a service with a client."""
    admin = sign_in(roster, "john")["token"]
    body = {"name": "orders", "scopes": ["introspect", "tokens"], "audience": AUDIENCE}
    client = call(roster.port, "POST", "/v1/clients", body, token=admin).body
    return {"ROSTER_CLIENT_ID": client["id"], "ROSTER_CLIENT_SECRET": client["secret"]}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str]) -> Any:
    """Return a function that starts the service with a Roster at a port."""

    def run(port: int, **environment: str) -> FlaskClient:
        url = {"ROSTER_URL": f"http://{HERE}:{port}"}
        for name, value in {**url, **credentials, **environment}.items():
            monkeypatch.setenv(name, value)
        client: FlaskClient = runpy.run_path(str(EXAMPLE))["app"].test_client()
        return client

    return run


@pytest.fixture
def service(start: Any, roster: Running) -> FlaskClient:
    """Return a client of the service."""
    client: FlaskClient = start(roster.port)
    return client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestFlask:
    def test_granted(self, service, roster):
        """The service knows its caller."""
        opened = sign_in(roster, "jane")
        response = service.get("/orders", headers=bearer(opened["token"]))

        assert response.json == {"user": opened["user"]["id"], "name": "jane", "roles": ["user"]}

    @pytest.mark.parametrize("headers", [{}, bearer("rst_none"), bearer(""), bearer("\u00e4")])
    def test_rejected(self, service, headers):
        """Without an active token the response is 401."""
        response = service.get("/orders", headers=headers)

        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")

    def test_client(self, service, roster, credentials):
        """The own token of a client is that of no user."""
        url = f"http://{HERE}:{roster.port}/oauth/token"
        form = {"grant_type": "client_credentials", "audience": AUDIENCE}
        issued = requests.post(url, data=form, auth=tuple(credentials.values()), timeout=20).json()
        response = service.get("/orders", headers=bearer(issued["access_token"]))

        assert response.status_code == 401

    def test_signed_out(self, service, roster, monkeypatch):
        """A session that has ended is rejected after 30 seconds at the latest."""
        token = sign_in(roster, "jane")["token"]
        before = service.get("/orders", headers=bearer(token)).status_code
        sign_out(roster, token)
        later = time.time() + 30
        monkeypatch.setattr(time, "time", lambda: later)

        assert (before, service.get("/orders", headers=bearer(token)).status_code) == (200, 401)

    def test_cached(self, service, roster):
        """Roster is asked once in this time."""
        token = sign_in(roster, "jane")["token"]
        service.get("/orders", headers=bearer(token))
        sign_out(roster, token)

        assert service.get("/orders", headers=bearer(token)).status_code == 200

    def test_roster_unreachable(self, start):
        """Without Roster the service neither grants nor rejects."""
        service = start(free_port())

        assert service.get("/orders", headers=bearer("rst_x")).status_code == 503

    def test_wrong_secret(self, start, roster):
        """A service with the wrong secret does not report its callers as unauthenticated."""
        service = start(roster.port, ROSTER_CLIENT_SECRET="rsc_none")

        assert service.get("/orders", headers=bearer("rst_x")).status_code == 503

    def test_length(self):
        """The code to copy has fewer than 40 lines besides blank ones."""
        lines = [line for line in EXAMPLE.read_text().splitlines() if line.strip()]

        assert len(lines) < 40


@pytest.fixture(scope="module")
def issue(roster: Running) -> Callable[[str, str], str]:
    """Return a function that creates an access token for an audience."""
    admin = sign_in(roster, "john")["token"]
    for name in ("billing", "invoices"):
        body = {"name": name, "audience": f"https://{name}.example.com"}
        assert call(roster.port, "POST", "/v1/clients", body, token=admin).status == 201

    def create(token: str, audience: str) -> str:
        issued = call(roster.port, "POST", "/v1/tokens", {"audience": audience}, token=token)
        return str(issued.body["access_token"])

    return create


class TestPyJWT:
    """The program of docs/services.md that verifies access tokens."""

    @pytest.fixture
    def verify(self, roster: Running, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
        program = tmp_path / "verify.py"
        [text] = blocks(DOCS / "services.md", "python")
        program.write_text(text.replace("127.0.0.1:8080", f"{HERE}:{roster.port}"))
        return runpy.run_path(str(program))["verify"]

    def test_accepted(self, verify, issue, roster):
        """The claims say who the caller is."""
        opened = sign_in(roster, "jane")
        claims = verify(issue(opened["token"], "https://billing.example.com"))

        assert (claims["sub"], claims["roles"]) == (opened["user"]["id"], ["user"])

    def test_rejected(self, verify, issue, roster):
        """A token for another service and the token of a session are rejected."""
        session = sign_in(roster, "jane")["token"]
        other = issue(session, "https://invoices.example.com")

        with pytest.raises(jwt.InvalidAudienceError):
            verify(other)
        with pytest.raises(jwt.DecodeError):
            verify(session)
