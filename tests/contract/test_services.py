"""examples/services that verify access tokens, each in front of a running Roster."""

import base64
import contextlib
import http.client
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract.conftest import HERE, NODE_TOOLS, PYTHON_TOOLS
from tests.support.process_harness import HERE as HOST
from tests.support.process_harness import (
    PROJECT,
    Answer,
    ProcessHarness,
    Running,
    call,
    free_port,
    wait_for,
)

EXAMPLES = PROJECT / "examples" / "services"
AUDIENCE = "https://orders.example.com"
OTHER = "https://invoices.example.com"
Start = Callable[..., Running]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessHarness]:
    """Start processes, and end them."""
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("services"))) as harness:
        yield harness


@pytest.fixture(scope="module")
def express(harness: ProcessHarness) -> Path:
    """Compile the Express example in strict mode; return its path."""
    shutil.copy(HERE / "tsconfig.json", harness.folder)
    shutil.copy(EXAMPLES / "express_app.mts", harness.folder)
    (harness.folder / "node_modules").symlink_to(HERE / "node_modules")
    compiled = harness.start(NODE_TOOLS / "tsc", "--project", harness.folder / "tsconfig.json")
    assert compiled.ended() == 0, compiled.said
    return harness.folder / "express_app.mjs"


@pytest.fixture(scope="module")
def credentials(service: Running) -> dict[str, str]:
    """Create the clients of two services; return the environment of the first."""
    admin = service.token_of("john")
    created = [
        service.call(
            "POST",
            "/v1/clients",
            {
                "name": audience[8:-12],
                "scopes": ["introspect", "tokens"],
                "audience": audience,
            },
            admin,
        ).body
        for audience in (AUDIENCE, OTHER)
    ]
    return {
        "ROSTER_URL": f"http://{HOST}:{service.port}",
        "AUDIENCE": AUDIENCE,
        "ROSTER_CLIENT_ID": created[0]["id"],
        "ROSTER_CLIENT_SECRET": created[0]["secret"],
    }


@pytest.fixture(scope="module", params=["fastapi", "express"])
def start(
    request: pytest.FixtureRequest,
    harness: ProcessHarness,
    express: Path,
    credentials: dict[str, str],
) -> Start:
    """Return a function that starts the example of a framework."""

    def run(**environment: str) -> Running:
        port = free_port()
        uvicorn = (PYTHON_TOOLS / "uvicorn", "fastapi_app:app", "--port", str(port))
        command = uvicorn if request.param == "fastapi" else ("node", express)
        settings = {"PORT": str(port), **credentials, **environment}
        running = harness.start(*command, port=port, cwd=EXAMPLES, **settings)
        wait_for(lambda: listens(port), f"the example listens: {running.said}")
        return running

    return run


@pytest.fixture(scope="module")
def app(start: Start) -> Running:
    """The example, with the settings of its client."""
    return start()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


@pytest.fixture
def session(service: Running, app: Running) -> str:
    """The token of a session of jane."""
    return service.token_of("jane")


def issue(service: Running, session: str, audience: str = AUDIENCE) -> str:
    """Return an access token."""
    issued = service.call("POST", "/v1/tokens", {"audience": audience}, session)
    return str(issued.body["access_token"])


def orders(app: Running, token: str) -> Answer:
    return call(app.port, "GET", "/orders", token=token)


def status(app: Running, method: str, path: str, token: str) -> int:
    """Return the status of a response whose body need not be JSON."""
    with contextlib.closing(http.client.HTTPConnection(HOST, app.port, timeout=20)) as line:
        line.request(method, path, headers={"Authorization": f"Bearer {token}"})
        return line.getresponse().status


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def with_header(token: str, **header: Any) -> str:
    """Return a token with other members in its header."""
    old, payload, signature = token.split(".")
    members = json.loads(base64.urlsafe_b64decode(old + "=="))
    return ".".join([encoded({**members, **header}), payload, signature])


def with_claims(token: str, **claims: Any) -> str:
    """Return a token with other claims."""
    header, payload, signature = token.split(".")
    members = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return ".".join([header, encoded({**members, **claims}), signature])


FORGERIES: dict[str, Callable[[str], str]] = {
    "none": lambda token: "",
    "word": lambda token: "x",
    "longer": lambda token: f"{token}x",
    "unsigned": lambda token: token.rpartition(".")[0] + ".",
    "roles": lambda token: with_claims(token, roles=["admin"]),
    "end": lambda token: with_claims(token, exp=4_000_000_000),
    "alg none": lambda token: with_header(token, alg="none"),
    "alg HS256": lambda token: with_header(token, alg="HS256"),
    "typ": lambda token: with_header(token, typ="JWT"),
    "kid": lambda token: with_header(token, kid="another"),
    "no kid": lambda token: with_header(token, kid=None),
    "crit": lambda token: with_header(token, crit=["exp"]),
}


class TestVerified:
    def test_granted(self, app, service, session):
        """The service knows its caller."""
        found = orders(app, issue(service, session))
        jane = service.call("GET", "/v1/users/me", token=session).body

        assert (found.status, found.body) == (200, {"user": jane["id"], "roles": ["user"]})

    @pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
    def test_forged(self, app, service, session, change):
        """A token that Roster has not issued is rejected."""
        token = change(issue(service, session))

        assert status(app, "GET", "/orders", token) == 401

    def test_session(self, app, session):
        """The token of a session is rejected."""
        assert status(app, "GET", "/orders", session) == 401

    def test_client(self, app, credentials):
        """The own token of a client is that of no user."""
        form = {"grant_type": "client_credentials", "audience": AUDIENCE}
        client = (credentials["ROSTER_CLIENT_ID"], credentials["ROSTER_CLIENT_SECRET"])
        url = f"{credentials['ROSTER_URL']}/oauth/token"
        issued = requests.post(url, data=form, auth=client, timeout=20).json()

        assert status(app, "GET", "/orders", issued["access_token"]) == 401

    def test_other_audience(self, app, service, session):
        """A token for another service is rejected."""
        assert status(app, "GET", "/orders", issue(service, session, OTHER)) == 401

    def test_roster_unreachable(self, start, service, session):
        """Without Roster's keys the service neither grants nor rejects."""
        app = start(ROSTER_URL=f"http://{HOST}:{free_port()}")

        assert status(app, "GET", "/orders", issue(service, session)) == 503


class TestActive:
    def test_granted(self, app, service, session):
        """What must end at once is granted while the session lives."""
        assert status(app, "POST", "/payments", issue(service, session)) == 200

    def test_signed_out(self, app, service, session):
        """After the end of the session it is rejected at once, what may wait is granted."""
        token = issue(service, session)
        service.call("DELETE", "/v1/sessions/current", token=session)

        assert status(app, "POST", "/payments", token) == 401
        assert status(app, "GET", "/orders", token) == 200

    def test_wrong_secret(self, start, service, session):
        """A service with the wrong secret does not report its callers as unauthenticated."""
        app = start(ROSTER_CLIENT_SECRET="rsc_none")

        assert status(app, "POST", "/payments", issue(service, session)) == 503


@pytest.mark.parametrize("name", ["fastapi_app.py", "express_app.mts"])
def test_length(name):
    """The code to copy has fewer than 40 lines besides blank ones."""
    lines = [line for line in (EXAMPLES / name).read_text().splitlines() if line.strip()]

    assert len(lines) < 40
