"""`python -m bench.search`: lists, filters and searches, by the number of users.

Two services with their own databases, a small and a large one, answer the same requests in turns:
one request at a time, on one connection to each. The users are written to the database directly,
half of them suspended, with common names. The service has nothing else to do.
"""

import http.client
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.support import command, environment, service
from bench.support.document import Section
from bench.support.engine import local_engine
from bench.support.process import LOOPBACK, BenchError
from bench.support.service import REGION, WORKERS, Service
from bench.support.tables import row, spread, verdict
from bench.support.users import bearer
from flask_pynamodb import DEFAULT_TRANSPORT
from models import Role, Status, User, db
from models.tables.search_term import rows_of
from roster.config import Config
from roster.wiring import open_services

SECTION = Section("bench.search")
SMALL = 1000
_GOAL = 1.2
_CALLS = 100
_WARM_UP = 20
_TIMEOUT = 30
_BATCH = 25
_THREADS = 4
_PREFIX = "roster-"
_ADMIN = "john"
_PASSWORD = "a stone bridge over the river"
_REQUESTS = {
    "list": "limit=25",
    "list, `status=active`": "limit=25&status=active",
    "list, `status=suspended`": "limit=25&status=suspended",
    "list, `role=user`": "limit=25&role=user",
    "search, `q=jo`": "limit=25&q=jo",
    "search, `q=jo&status=active`": "limit=25&q=jo&status=active",
    "search, one found": "limit=25&q=john.smith.0@",
    "search, none found": "limit=25&q=xyz",
}
_FIRST_NAMES = ("John", "Mary", "Joan", "Ada", "Grace", "José", "Wei", "Zoë", "Ann", "Joel")
_LAST_NAMES = ("Smith", "Jones", "Lovelace", "Hopper", "Garcia", "O'Brien", "Li")
# Milliseconds by request.
Times = dict[str, list[float]]


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.search", __doc__, rounds=5, seconds=1)
    parser.add_argument(
        "--users", type=int, default=5000, help="in the large database; default: %(default)s"
    )
    arguments = parser.parse_args()

    def measure() -> str:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roster-bench-")))
            clients = [
                _Client(stack.enter_context(_serve(number, folder)))
                for number in (SMALL, arguments.users)
            ]
            rounds = []
            for number in range(arguments.rounds + 1):
                rounds.append(_round(clients, _CALLS if number else _WARM_UP))
                command.log(f"round {number} of {arguments.rounds}")
        return "\n".join(_render(rounds[1:], arguments.users))

    return command.run(SECTION, arguments.write, measure)


class _Client:
    """A connection to a service, as its admin."""

    def __init__(self, roster: Service) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, roster.port, timeout=_TIMEOUT)
        session = roster.request(
            "POST", "/v1/sessions", 201, body={"login": _ADMIN, "password": _PASSWORD}
        )
        self._headers = bearer(session["token"])

    def get(self, query: str) -> tuple[float, int]:
        """Return the milliseconds of a request, and the number of users on the page."""
        start = time.perf_counter()
        self._connection.request("GET", f"/v1/users?{query}", headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        duration = (time.perf_counter() - start) * 1000
        if response.status != 200:
            raise BenchError(f"{query} returned {response.status}: {body[:200]!r}")
        return duration, len(json.loads(body)["items"])


@contextmanager
def _serve(number: int, folder: Path) -> Iterator[Service]:
    """Run a service on a database with so many users."""
    with local_engine() as engine:
        started = time.perf_counter()
        _write_users(engine.host, number)
        command.log(f"wrote {number} users in {time.perf_counter() - started:.0f} s")
        settings = {"ROSTER_RATE_LIMITS": "off", "DYNAMODB_TABLE_PREFIX": _PREFIX}
        log = folder / f"roster-{number}.log"
        with service.roster_on(
            engine.host, log, transport=DEFAULT_TRANSPORT, settings=settings
        ) as roster:
            yield roster


def _write_users(host: str, number: int) -> None:
    """Create the tables, the admin, and users with the rows of the search."""
    config = Config(
        secret_keys=("only for the bench",),
        workers=1,
        dynamodb={
            "DYNAMODB_HOST": host,
            "DYNAMODB_REGION": REGION,
            "DYNAMODB_TABLE_PREFIX": _PREFIX,
            "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
            "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
        },
    )
    with open_services(config) as services:
        db.create_all()
        services.accounts.register(
            username=_ADMIN,
            email=f"{_ADMIN}@example.com",
            password=_PASSWORD,
            roles=[Role.ADMIN],
            any_username=True,
        )
        database = db.current_database()

        def write(batch: list[tuple[str, dict[str, Any]]]) -> None:
            requests: dict[str, list[Any]] = {}
            for table, item in batch:
                requests.setdefault(f"{_PREFIX}{table}", []).append({"PutRequest": {"Item": item}})
            with database.context():
                db.connection.dispatch("BatchWriteItem", {"RequestItems": requests})

        with ThreadPoolExecutor(_THREADS) as pool:
            batches = _batches(_items(number))
            # A bounded number at a time, so that 200,000 users need no memory for all.
            while chunk := list(itertools.islice(batches, _THREADS * 50)):
                list(pool.map(write, chunk))


def _items(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for index in range(number):
        first = _FIRST_NAMES[index % len(_FIRST_NAMES)]
        last = _LAST_NAMES[index // len(_FIRST_NAMES) % len(_LAST_NAMES)]
        login = f"{first}.{last}.{index}".lower().replace("'", "")
        user = User.new(
            username=login.translate({0xE9: "e", 0xEB: "e"}),
            email=f"{login.translate({0xE9: 'e', 0xEB: 'e'})}@example.com",
            full_name=f"{first} {last}",
            roles=[Role.USER],
            status=Status.SUSPENDED if index % 2 else Status.ACTIVE,
            password_hash="$argon2id$v=19$m=19456,t=2,p=1$" + "x" * 66,
        )
        user.indexed_version = user.version
        yield "users", user.serialize()
        for each in rows_of(user).values():
            yield "search_terms", each.serialize()


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch


def _round(clients: list[_Client], calls: int) -> list[Times]:
    times: list[Times] = [{name: [] for name in _REQUESTS} for _ in clients]
    for _ in range(calls):
        for name, query in _REQUESTS.items():
            for client, of_client in zip(clients, times, strict=True):
                of_client[name].append(client.get(query)[0])
    return times


def _render(rounds: list[list[Times]], users: int) -> Iterator[str]:
    yield environment.command(command.command_line("bench.search"))
    yield environment.machine()
    yield f"- Load average of the last minute at the end: {os.getloadavg()[0]:.1f}"
    yield (
        f"- Medians and ranges of {len(rounds)} rounds of {_CALLS} requests, one at a time,"
        f" {WORKERS} workers, 25 users a page"
    )
    yield ""
    yield row(
        ["request", f"{SMALL:,} users: ms", "min..max", f"{users:,} users: ms", "min..max", "ratio"]
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    ratios: Mapping[str, float] = {name: _ratio(rounds, name) for name in _REQUESTS}
    for name, ratio in ratios.items():
        cells = [name]
        for database in range(2):
            medians = [median(each[database][name]) for each in rounds]
            cells += spread(medians, "{:.2f}".format)
        yield row([*cells, f"{ratio:.2f}"])
    yield ""
    worst = max(ratios.values())
    goal = f"below {_GOAL:g}"
    is_quiet = os.getloadavg()[0] < (os.cpu_count() or 1) + 1
    judged = verdict(worst < _GOAL, goal) if is_quiet else f"{goal}: not judged, other programs ran"
    yield f"Worst ratio: {worst:.2f} ({judged})"


def _ratio(rounds: list[list[Times]], name: str) -> float:
    """Return the median of the ratios of the rounds."""
    return median(median(large[name]) / median(small[name]) for small, large in rounds)


if __name__ == "__main__":
    sys.exit(main())
