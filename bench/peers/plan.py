"""What is measured side by side, on one engine that keeps running."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench import service
from bench.load import Load, run_warm
from bench.peers import servers
from bench.process import BenchError
from bench.service import Service
from bench.tables import Round
from bench.users import Cast, bearer, enrol
from flask_pynamodb.local import Engine

LEAN = "Roster"
BOTOCORE = "Roster on botocore"
FASTAPI = "FastAPI + aioboto3"
EXPRESS = "Express + AWS SDK v3"
ENGINE = "engine's `GetItem`"
CONNECTIONS = 16
_ORDER = (ENGINE, LEAN, BOTOCORE, FASTAPI, EXPRESS)
_SERVERS: dict[str, Callable[[str, Path], AbstractContextManager[Service]]] = {
    LEAN: partial(service.roster_on, transport="lean"),
    BOTOCORE: partial(service.roster_on, transport="botocore"),
    FASTAPI: servers.fastapi,
    EXPRESS: servers.express,
}
_GET_ITEM = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
    # The engine checks no signature, but that there is one, and a date.
    "X-Amz-Date": "20260101T000000Z",
    "Authorization": "AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none",
}


def measure(
    folder: Path, *, rounds: int, seconds: int, users: int, report: Callable[[str], None]
) -> list[Round]:
    """Measure everything.

    Args:
        folder: An empty folder for data and logs.
        rounds: How often.
        seconds: How long each load lasts.
        users: How many users to sign up before.
        report: Told what goes on, in one line.
    """
    report(f"signing up {users} users")
    with service.roster(folder / "store") as started:
        cast = enrol(started, users)
    with Engine(folder / "store") as engine, ExitStack() as stack:
        started_by_name = {
            name: stack.enter_context(start(engine.host, folder / f"server-{number}.log"))
            for number, (name, start) in enumerate(_SERVERS.items())
        }
        _compare(started_by_name, cast)
        report("all services give the same answers")
        loads = _loads(started_by_name, engine, cast)
        found = [_round(number, loads, seconds, report) for number in range(rounds + 1)]
    # The first one is forgotten: Node.js compiles what runs often only after seconds of load.
    return found[1:]


def _round(
    number: int, loads: Mapping[str, Load], seconds: int, report: Callable[[str], None]
) -> Round:
    report(f"round {number}" if number else "a round that does not count")
    found = {}
    for name in _ORDER:
        found[name] = run_warm(loads[name], CONNECTIONS, seconds)
        report(f"  {name}: {found[name].rate:,.1f}/s")
    return found


def _compare(services: Mapping[str, Service], cast: Cast) -> None:
    """Refuse services that would not be doing the same work.

    Raises:
        BenchError: One of them answers otherwise than Roster does.
    """
    path = f"/v1/users/{cast.user['id']}"
    missing = "/v1/users/00000000-0000-0000-0000-000000000000"
    expected = services[LEAN].ask("GET", path, 200, token=cast.token)
    for name, each in services.items():
        for token in (cast.token, cast.admin_token):
            answer = each.ask("GET", path, 200, token=token)
            if answer != expected:
                raise BenchError(f"{name} answers {answer}, and Roster {expected}")
            each.ask("GET", missing, 404, token=token)
        for token in ("", "nonsense", f"{cast.token[:-8]}AAAAAAAA"):
            each.ask("GET", path, 401, token=token)


def _loads(services: Mapping[str, Service], engine: Engine, cast: Cast) -> dict[str, Load]:
    reads = {
        name: Load(
            name,
            each.pid,
            f"{each.url}/v1/users/{cast.user['id']}",
            headers=bearer(cast.token),
            engine_pid=engine.pid,
        )
        for name, each in services.items()
    }
    return {**reads, ENGINE: _get_item(engine, cast)}


def _get_item(engine: Engine, cast: Cast) -> Load:
    """The user's row straight from the engine, as strongly consistent as the services read it."""
    if engine.pid is None:
        raise BenchError("The engine has ended.")
    key = {"id": {"S": cast.user["id"]}}
    body = json.dumps({"TableName": "roster-users", "Key": key, "ConsistentRead": True})
    url = f"{engine.host}/"
    return Load(ENGINE, engine.pid, url, method="POST", headers=_GET_ITEM, body=body)
