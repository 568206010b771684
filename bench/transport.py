"""`python -m bench.transport`: PynamoDB over each transport, in calls per second of processor time.

One thread reads an item, saves one, and writes three in a transaction, through the extension and to
an engine in memory. Only this process's processor time counts, the engine's does not. Rounds of
the two transports take turns, so that both see the same machine; the figures are medians.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

import pycurl  # type: ignore[import-untyped]
from flask import Flask
from pynamodb.attributes import (
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)

from bench import cpu
from flask_pynamodb import PynamoDB
from flask_pynamodb.local import Engine, EngineError

TRANSPORTS = ("botocore", "lean")
GOALS = {"get": 6.0, "save": 5.0, "transaction of three": 4.0}

Work = Callable[[], object]

db = PynamoDB()


class Person(db.Model):  # type: ignore[misc,name-defined]
    """About as large as a user of Roster."""

    id = UnicodeAttribute(hash_key=True)
    username = UnicodeAttribute()
    email = UnicodeAttribute()
    roles = UnicodeSetAttribute()
    status = UnicodeAttribute()
    logins = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


def person(name: str) -> Person:
    """Somebody who has signed up just now."""
    now = datetime.now(UTC)
    return Person(
        name,
        username=name,
        email=f"{name}@example.com",
        roles={"admin", "user"},
        status="active",
        logins=17,
        created_at=now,
        updated_at=now,
    )


def main() -> int:
    """Measure and print; the status of the process."""
    arguments = _arguments()
    try:
        with Engine() as engine:
            contexts = {name: _app(engine.host, name).app_context() for name in TRANSPORTS}
            with contexts["botocore"]:
                db.create_all()
            rates = _measure(contexts, arguments.rounds, arguments.seconds)
    except EngineError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    _print(rates, arguments.rounds)
    return 0


def _app(host: str, transport: str) -> Flask:
    app = Flask(transport)
    app.config.from_mapping(
        DYNAMODB_HOST=host,
        DYNAMODB_REGION="us-east-1",
        DYNAMODB_AWS_ACCESS_KEY_ID="local",
        DYNAMODB_AWS_SECRET_ACCESS_KEY="local",
        DYNAMODB_TRANSPORT=transport,
    )
    db.init_app(app)
    return app


def _measure(
    contexts: Mapping[str, AbstractContextManager[object]], rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """The median rates by work and transport."""
    people = [person(name) for name in ("ada", "grace", "radia")]
    works: dict[str, Work] = {
        "get": lambda: Person.get("ada", consistent_read=True),
        "save": people[0].save,
        "transaction of three": lambda: _save_all(people),
    }
    found: dict[str, dict[str, list[float]]] = {
        name: {transport: [] for transport in TRANSPORTS} for name in works
    }
    for number in range(rounds + 1):
        for name, work in reversed(works.items()):
            for transport in TRANSPORTS:
                with contexts[transport]:
                    rate = _rate(work, seconds)
                # The first round makes connections, fills caches and is forgotten.
                found[name][transport] += [rate] * bool(number)
    return {
        name: {transport: median(rates) for transport, rates in by_transport.items()}
        for name, by_transport in found.items()
    }


def _save_all(people: list[Person]) -> None:
    with db.transaction() as transaction:
        for each in people:
            transaction.save(each)


def _rate(work: Work, seconds: float) -> float:
    """Calls per second of this process's processor time."""
    calls, end = 0, time.perf_counter() + seconds
    before = time.process_time()
    while time.perf_counter() < end:
        for _ in range(20):
            work()
        calls += 20
    return calls / (time.process_time() - before)


def _print(rates: dict[str, dict[str, float]], rounds: int) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pynamodb", "botocore", "pycurl"))
    print(f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {cpu.model_name()}, {os.cpu_count()} cores")
    print(f"- Python {platform.python_version()}, {packages}, {pycurl.version.split()[1]}")
    print(f"- Calls per second of processor time, one thread; medians of {rounds} rounds\n")
    print("| | botocore | lean | lean / botocore | goal |")
    print("| --- | --- | --- | --- | --- |")
    for name, goal in GOALS.items():
        slow, fast = (rates[name][transport] for transport in TRANSPORTS)
        print(f"| {name} | {slow:,.0f}/s | {fast:,.0f}/s | {fast / slow:.1f} | {goal:g} |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.transport", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1, help="of each work; %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
