"""The measurements of `python -m bench.peers`, all on one engine that keeps running."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench.peers import servers
from bench.support import service
from bench.support.engine import local_engine
from bench.support.load import Load, run_warm
from bench.support.process import BenchError
from bench.support.service import Service
from bench.support.tables import Round
from bench.support.users import Users, bearer, create_users
from flask_pynamodb import DEFAULT_TRANSPORT
from flask_pynamodb.local import Engine

ROSTER = "Roster"
BOTOCORE = "Roster on botocore"
FASTAPI = "FastAPI + aioboto3"
EXPRESS = "Express + AWS SDK v3"
GO = "Go + AWS SDK v2"
ENGINE = "engine's `GetItem`"
CONNECTIONS = 16
_ORDER = (ENGINE, ROSTER, BOTOCORE, FASTAPI, EXPRESS, GO)
_SERVERS: dict[str, Callable[[str, Path], AbstractContextManager[Service]]] = {
    ROSTER: partial(service.roster_on, transport=DEFAULT_TRANSPORT),
    BOTOCORE: partial(service.roster_on, transport="botocore"),
    FASTAPI: servers.fastapi,
    EXPRESS: servers.express,
    GO: servers.go,
}
_GET_ITEM = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
    # The engine does not verify the signature, but requires one, and a date.
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none",
}


def measure(
    folder: Path, *, rounds: int, seconds: int, user_count: int, log: Callable[[str], None]
) -> list[Round]:
    """Run all measurements.

    Args:
        folder: An empty folder for data and logs.
        rounds: The number of rounds.
        seconds: The duration of each load.
        user_count: The number of users to sign up first.
        log: Receives lines about the progress.
    """
    log(f"signing up {user_count} users")
    with service.roster(folder / "store") as roster:
        users = create_users(roster, user_count)
    with local_engine(folder / "store") as engine, ExitStack() as stack:
        running = {
            name: stack.enter_context(start(engine.host, folder / f"server-{number}.log"))
            for number, (name, start) in enumerate(_SERVERS.items())
        }
        _compare(running, users)
        log("all services return the same responses")
        loads = _loads(running, engine, users)
        results = [_round(number, loads, seconds, log) for number in range(rounds + 1)]
    # The first round is discarded: Node.js compiles hot functions only after seconds of load.
    return results[1:]


def _round(
    number: int, loads: Mapping[str, Load], seconds: int, log: Callable[[str], None]
) -> Round:
    log(f"round {number}" if number else "warm-up round, discarded")
    samples = {}
    for name in _ORDER:
        samples[name] = run_warm(loads[name], CONNECTIONS, seconds)
        log(f"  {name}: {samples[name].rate:,.1f}/s")
    return samples


def _compare(services: Mapping[str, Service], users: Users) -> None:
    """Check that all services do the same work.

    Raises:
        BenchError: A service returns another response than Roster.
    """
    path = f"/v1/users/{users.user['id']}"
    missing = "/v1/users/00000000-0000-0000-0000-000000000000"
    expected = services[ROSTER].request("GET", path, 200, token=users.token)
    for name, peer in services.items():
        for token in (users.token, users.admin_token):
            response = peer.request("GET", path, 200, token=token)
            if response != expected:
                raise BenchError(f"{name} returned {response}, Roster {expected}")
            peer.request("GET", missing, 404, token=token)
        for token in ("", "nonsense", f"{users.token[:-8]}AAAAAAAA"):
            peer.request("GET", path, 401, token=token)


def _loads(services: Mapping[str, Service], engine: Engine, users: Users) -> dict[str, Load]:
    reads = {
        name: Load(
            name,
            peer.pid,
            f"{peer.url}/v1/users/{users.user['id']}",
            headers=bearer(users.token),
            engine_pid=engine.pid,
        )
        for name, peer in services.items()
    }
    return {**reads, ENGINE: _get_item(engine, users)}


def _get_item(engine: Engine, users: Users) -> Load:
    """Return the load that reads the user's item from the engine, strongly consistent."""
    if engine.pid is None:
        raise BenchError("The engine is not running.")
    key = {"id": {"S": users.user["id"]}}
    body = json.dumps({"TableName": "roster-users", "Key": key, "ConsistentRead": True})
    url = f"{engine.host}/"
    return Load(ENGINE, engine.pid, url, method="POST", headers=_GET_ITEM, body=body)
