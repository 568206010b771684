"""`python -m bench.transport`: PynamoDB over each transport, in calls per second of processor time.

One thread reads an item, saves one, and writes three in a transaction, through the extension, to
an engine in memory. Only this process's processor time counts, not the engine's. The transports
alternate within each round, so that both run on the same machine state; the figures are medians.

Beside them stands the cold import of the extension and that of what it is built on, Flask and
PynamoDB, in new processes that alternate, too.
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

from bench.support import command, environment
from bench.support.document import Section
from bench.support.engine import find_engine, local_engine
from bench.support.imports import cold_import_seconds
from bench.support.tables import row, spread, verdict
from flask_pynamodb import DEFAULT_TRANSPORT, PynamoDB

SECTION = Section("bench.transport")
# The default is the curl transport, since this command needs pycurl.
TRANSPORTS = {"botocore": "botocore", "curl": DEFAULT_TRANSPORT}
# What an app imports with the extension, and without it.
IMPORTS = {"stock": "import flask, pynamodb.models", "extension": "import flask_pynamodb"}
IMPORT_GOAL = 1.1
GOALS = {"get": 6.0, "save": 5.0, "transaction of three": 4.0}

Operation = Callable[[], object]
# Calls per second of processor time, by operation and transport.
Round = dict[tuple[str, str], float]

db = PynamoDB()


class Person(db.Model):
    """A model about as large as a user of Roster."""

    id = UnicodeAttribute(hash_key=True)
    username = UnicodeAttribute()
    email = UnicodeAttribute()
    roles = UnicodeSetAttribute()
    status = UnicodeAttribute()
    logins = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


def create_person(name: str) -> Person:
    """Create a person that signed up now."""
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
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.transport", __doc__, rounds=5, seconds=1)
    arguments = parser.parse_args()

    def measure() -> str:
        with local_engine() as engine:
            contexts = {
                name: _app(engine.host, transport).app_context()
                for name, transport in TRANSPORTS.items()
            }
            with contexts["botocore"]:
                db.create_all()
            rounds = _measure(contexts, arguments.rounds, arguments.seconds)
        imports = _measure_imports(arguments.rounds)
        return "\n".join([*_render(rounds), "", *_render_imports(imports)])

    return command.run(SECTION, arguments.write, measure)


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
    people = [create_person(name) for name in ("ada", "grace", "radia")]
    # The saves come first, so that there is an item to get.
    operations: dict[str, Operation] = {
        "transaction of three": lambda: _save_all(people),
        "save": people[0].save,
        "get": lambda: Person.get("ada", consistent_read=True),
    }
    results: list[Round] = []
    for number in range(rounds + 1):
        rates: Round = {}
        for name, operation in operations.items():
            for transport in TRANSPORTS:
                with contexts[transport]:
                    rates[name, transport] = _rate(operation, seconds)
        # The first round opens connections and fills caches; it is discarded.
        results += [rates] * bool(number)
    return results


def _measure_imports(rounds: int) -> list[dict[str, float]]:
    """Return the seconds of each import by its name, for each of three times the rounds."""
    results = [
        {name: cold_import_seconds(statement) for name, statement in IMPORTS.items()}
        for _ in range(3 * rounds + 1)
    ]
    # The first round caches bytecode.
    return results[1:]


def _save_all(people: list[Person]) -> None:
    with db.transaction() as transaction:
        for person in people:
            transaction.save(person)


def _rate(operation: Operation, seconds: float) -> float:
    """Return the calls per second of this process's processor time."""
    calls, end = 0, time.perf_counter() + seconds
    before = time.process_time()
    while time.perf_counter() < end:
        for _ in range(20):
            operation()
        calls += 20
    return calls / (time.process_time() - before)


def _render(rounds: Sequence[Round]) -> Iterator[str]:
    packages = [f"{name} {version(name)}" for name in ("pynamodb", "botocore", "pycurl", "orjson")]
    engine = environment.program_version(str(find_engine()), "--version")
    yield environment.command(command.command_line("bench.transport"))
    yield environment.machine()
    yield (
        f"- Versions: Python {platform.python_version()}, {', '.join(packages)},"
        f" {pycurl.version.split()[1]}, {engine}"
    )
    yield f"- Calls per second of processor time, one thread; medians of {len(rounds)} rounds\n"
    yield "| PynamoDB operation | botocore | curl | curl / botocore, by round | min..max | goal |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, goal in GOALS.items():
        rates = [[rate[name, transport] for rate in rounds] for transport in TRANSPORTS]
        ratios = [fast / slow for slow, fast in zip(*rates, strict=True)]
        result = verdict(median(ratios) >= goal, f"{goal:g} or more")
        cells = [f"{median(rate):,.0f}" for rate in rates]
        yield row([name, *cells, *spread(ratios, "{:.2f}".format), result])


def _render_imports(rounds: Sequence[dict[str, float]]) -> Iterator[str]:
    stock, extension = ([each[name] for each in rounds] for name in IMPORTS)
    ratios = [ours / theirs for theirs, ours in zip(stock, extension, strict=True)]
    result = verdict(median(ratios) <= IMPORT_GOAL, f"{IMPORT_GOAL:g} or less")
    yield "| cold import, ms | Flask and PynamoDB | extension | ratio, by round | min..max | goal |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    cells = [f"{1000 * median(seconds):,.0f}" for seconds in (stock, extension)]
    yield row(["processor time", *cells, *spread(ratios, "{:.2f}".format), result])


if __name__ == "__main__":
    sys.exit(main())
