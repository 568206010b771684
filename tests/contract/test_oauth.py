"""oauth4webapi, a certified library, with a running Roster: metadata, tokens, introspection."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import HERE, run_tool
from tests.contract.test_services import AUDIENCE, FORGERIES, OTHER, issue
from tests.support.process_harness import Running


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the program in strict mode; return its path."""
    folder = tmp_path_factory.mktemp("oauth")
    shutil.copy(HERE / "tsconfig.json", folder)
    shutil.copy(HERE / "oauth.mts", folder)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    run_tool("tsc", "--project", folder / "tsconfig.json", cwd=folder)
    return folder / "oauth.mjs"


@pytest.fixture(scope="module")
def client(service: Running) -> dict[str, Any]:
    """Create the clients of two services; return the first."""
    admin = service.token_of("john")
    bodies = [
        {"name": "orders", "scopes": ["introspect", "tokens"], "audience": AUDIENCE},
        {"name": "invoices", "audience": OTHER},
    ]
    created = [service.call("POST", "/v1/clients", body, admin).body for body in bodies]
    return dict(created[0])


@pytest.fixture(scope="module")
def tokens(service: Running, client) -> dict[str, str]:
    """Return tokens by name: a good access token, forgeries of it, and tokens of other kinds."""
    session = service.token_of("jane")
    good = issue(service, session)
    forged = {name: change(good) for name, change in FORGERIES.items() if change(good)}
    return {**forged, "good": good, "other": issue(service, session, OTHER), "session": session}


@pytest.fixture(scope="module")
def observed(service: Running, program: Path, client, tokens) -> dict[str, Any]:
    """Run the program, and return its observations."""
    base = f"http://127.0.0.1:{service.port}"
    done = subprocess.run(
        ["node", program, base, AUDIENCE, client["id"], client["secret"]],
        input=json.dumps(tokens),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def jane(service: Running, tokens) -> str:
    """Return the ID of jane."""
    return str(service.call("GET", "/v1/users/me", token=tokens["session"]).body["id"])


def test_discovery(observed, service):
    """RFC 8414: the metadata is found by both names, and its issuer is the one that was asked."""
    issuer = f"http://127.0.0.1:{service.port}"

    assert observed["discovered"] == [issuer, issuer]


def test_access_token(observed, jane):
    """RFC 9068: an access token is valid, and its subject is the user."""
    assert observed["validated"]["good"] == jane


def test_rejected(observed, tokens):
    """Forged access tokens, those for another service, and tokens of sessions are rejected."""
    rejected = {name: "rejected" for name in tokens if name != "good"}

    assert observed["validated"].items() >= rejected.items()
    assert len(rejected) >= 12


def test_introspection(observed, tokens):
    """RFC 7662: the access token of this service and the session are active, nothing else is."""
    active = [name for name, is_active in observed["introspected"].items() if is_active]

    assert active == ["good", "session"]


def test_grants(observed, client, jane):
    """The tokens of client credentials are those of the client, exchanged ones of the user."""
    assert observed["clientCredentials"] == client["id"]
    assert observed["exchanged"] == jane
