"""examples/services, each in front of a running Roster."""

import runpy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.documents import ROOT
from tests.support.process_harness import (
    DEMO_PASSWORD,
    HERE,
    ProcessHarness,
    Running,
    call,
    free_port,
)

EXAMPLE = ROOT / "examples" / "services" / "flask_app.py"


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[Running]:
    """Roster with the demo users."""
    harness = ProcessHarness(Path(tmp_path_factory.mktemp("services")), transport)
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
    body = {"name": "orders", "scopes": ["introspect"]}
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
