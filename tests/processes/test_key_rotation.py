"""The secret key is replaced as docs/operations.md says, with `roster serve` and `roster keys`."""

import json
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from flask_pynamodb.local import Engine
from models import SecretKeys
from tests.support.authenticator import STEP, Authenticator
from tests.support.process_harness import (
    PASSWORD,
    ROSTER,
    Answer,
    ProcessHarness,
    Running,
    free_port,
    wait_for,
)

IS_COVERED = False
OLD, NEW = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
OLD_ID, NEW_ID = SecretKeys([OLD, NEW]).ids
FACTOR = "/v1/users/me/second-factor"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "secret-key"


@pytest.fixture
def settings(dynamodb_engine: Engine, key_file: Path) -> dict[str, str]:
    """Settings for the engine that replaces AWS, with the keys in a file."""
    return {
        "ROSTER_SECRET_KEY_FILE": str(key_file),
        "ROSTER_RATE_LIMITS": "off",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
    }


@pytest.fixture
def serve(harness: ProcessHarness, settings, key_file) -> Callable[..., Running]:
    """Return a function that starts the service with keys, the current one first."""

    def start(*keys: str) -> Running:
        key_file.write_text("\n".join(keys) + "\n")
        port = free_port()
        arguments = ("serve", "--workers", "1", "--port", str(port))
        return harness.start(ROSTER, *arguments, port=port, **settings).until_ready()

    return start


@pytest.fixture
def status(harness: ProcessHarness, settings) -> Callable[[], dict[str, int]]:
    """Return a function that reads the number of second factors by key."""

    def read() -> dict[str, int]:
        code, said = harness.run_forked("keys", "status", "--json", **settings)
        assert code == 0, said
        return {use["key"]: use["second_factors"] for use in json.loads(said)}

    return read


def sign_up(service: Running, username: str) -> str:
    """Create a user with a second factor; return its secret."""
    assert service.sign_up(username).status == 201
    token = service.token_of(username)
    secret = service.call("POST", FACTOR, token=token).body["secret"]
    # Not at the end of a time step: the first code is of the step before, so that two are left.
    wait_for(lambda: time.time() % STEP < STEP - 5, "the next time step begins")
    otp = Authenticator(secret, time.time).code(-1)
    assert service.call("POST", f"{FACTOR}/confirm", {"otp": otp}, token).status == 200
    return secret


def sign_in(service: Running, username: str, otp: str) -> Answer:
    body = {"login": username, "password": PASSWORD, "otp": otp}
    return service.call("POST", "/v1/sessions", body)


class TestRunbook:
    def test_every_step(self, harness, settings, key_file, serve, status):
        """M3: a key is replaced step by step, and at the end everybody still signs in."""
        # Before: the old key.
        key_file.write_text(OLD)
        code, said = harness.run_forked("dynamodb", "create", **settings)
        assert code == 0, said
        service = serve(OLD)
        authenticators = {
            name: Authenticator(sign_up(service, name), time.time) for name in ("ada", "eve")
        }
        assert status() == {OLD_ID: 2}
        service.stop()

        # 1. The new key is added: a host that already seals with it does no harm.
        service, ahead = serve(OLD, NEW), serve(NEW, OLD)
        authenticators["joan"] = Authenticator(sign_up(ahead, "joan"), time.time)
        assert sign_in(service, "joan", authenticators["joan"].code()).status == 201
        service.stop()

        # 2. The new key is first: a sign-in seals again.
        service = ahead
        assert sign_in(service, "ada", authenticators["ada"].code()).status == 201

        # 3. and 4. The rest, while the service runs.
        code, said = harness.run_forked("keys", "rekey", **settings)
        assert code == 0, said
        assert status() == {NEW_ID: 3, OLD_ID: 0}
        service.stop()

        # 5. The old key is removed.
        service = serve(NEW)
        assert "deprecated" not in service.said
        assert status() == {NEW_ID: 3}
        assert sign_in(service, "eve", authenticators["eve"].code()).status == 201
        for name in ("ada", "joan"):
            later = authenticators[name].code(1)
            assert sign_in(service, name, later).status == 201
        service.stop()

    def test_deprecated_setting(self, harness, settings, key_file, serve):
        """The line at the start says how to get rid of ROSTER_TOTP_SECRETS."""
        key_file.write_text(NEW)
        assert harness.run_forked("dynamodb", "create", **settings)[0] == 0
        settings["ROSTER_TOTP_SECRETS"] = "2026=k3yThatNobodyGuesses"
        service = serve(NEW)

        assert "ROSTER_TOTP_SECRETS is deprecated" in service.said
        assert "k3y" not in service.said
