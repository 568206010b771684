"""`python -m bench.transport`: PynamoDB over each transport, in calls per second of processor time.

One thread reads an item, saves one, and writes three in a transaction, through the extension and to
an engine in memory. Only this process's processor time counts, the engine's does not. Rounds of
the two transports take turns, so that both see the same machine; the figures are medians.
"""

import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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

from bench import command, environment
from bench.document import Section
from bench.tables import judged, row, spread
from flask_pynamodb import PynamoDB
from flask_pynamodb.local import Engine, find_binary

TRANSPORTS = ("botocore", "lean")
GOALS = {"get": 6.0, "save": 5.0, "transaction of three": 4.0}

Work = Callable[[], object]
# Calls per second of processor time, by work and transport.
Round = dict[tuple[str, str], float]

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
    """Measure, print, and with --write put the figures into the document; the process's status."""
    parser = command.parser("bench.transport", __doc__, rounds=5, seconds=1)
    arguments = parser.parse_args()

    def measure() -> str:
        with Engine() as engine:
            contexts = {name: _app(engine.host, name).app_context() for name in TRANSPORTS}
            with contexts["botocore"]:
                db.create_all()
            rounds = _measure(contexts, arguments.rounds, arguments.seconds)
        return "\n".join(_render(rounds))

    return command.run(Section("bench.transport"), arguments.write, measure)


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
) -> list[Round]:
    people = [person(name) for name in ("ada", "grace", "radia")]
    # Saved first, so that there is somebody to get.
    works: dict[str, Work] = {
        "transaction of three": lambda: _save_all(people),
        "save": people[0].save,
        "get": lambda: Person.get("ada", consistent_read=True),
    }
    found: list[Round] = []
    for number in range(rounds + 1):
        rates: Round = {}
        for name, work in works.items():
            for transport in TRANSPORTS:
                with contexts[transport]:
                    rates[name, transport] = _rate(work, seconds)
        # The first round makes connections, fills caches and is forgotten.
        found += [rates] * bool(number)
    return found


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


def _render(rounds: Sequence[Round]) -> Iterator[str]:
    packages = [f"{name} {version(name)}" for name in ("pynamodb", "botocore", "pycurl", "orjson")]
    yield environment.command(command.typed("bench.transport"))
    yield environment.machine()
    yield (
        f"- Versions: Python {platform.python_version()}, {', '.join(packages)},"
        f" {pycurl.version.split()[1]}, {environment.said_by(str(find_binary()), '--version')}"
    )
    yield f"- Calls per second of processor time, one thread; medians of {len(rounds)} rounds\n"
    yield "| PynamoDB's | botocore | lean | lean / botocore, in each round | min..max | goal |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, goal in GOALS.items():
        rates = [[found[name, transport] for found in rounds] for transport in TRANSPORTS]
        ratios = [fast / slow for slow, fast in zip(*rates, strict=True)]
        verdict = judged(median(ratios) >= goal, f"{goal:g} or more")
        cells = [f"{median(found):,.0f}" for found in rates]
        yield row([name, *cells, *spread(ratios, "{:.2f}".format), verdict])


if __name__ == "__main__":
    sys.exit(main())
