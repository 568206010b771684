"""`python -m bench.scale`: which partition key of a table is the first to limit a large service.

DynamoDB serves 1,000 write and 3,000 read units a second of one partition, and so of one partition
key that cannot be divided ("Designing partition keys", DynamoDB developer guide). The service runs
on an engine in memory for some thousand users with common names, and each key that its calls write
or read is counted. A key of one user has the load of one user; a key of many users has a share of
all calls, from which the rate follows at which it is full.
"""

import logging
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any

from flask import Flask
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from bench.microbench import call, create_bench_app
from bench.support import command, environment
from bench.support.document import DOCUMENT, Section
from bench.support.engine import local_engine
from bench.support.heat import Heat, HeatRecorder, Key
from bench.support.tables import row
from bench.support.users import PASSWORD
from flask_pynamodb.local import Engine
from models import db

SECTION = Section("bench.scale", DOCUMENT.with_name("scale.md"))
MAX_WRITES = 1000
MAX_READS = 3000
# Sizes of a service: users, and of these who sign in on a day.
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
SIGN_INS_A_DAY = 0.1
# Sign-ups of a day: a service that doubles in a year.
SIGN_UPS_A_DAY = 1 / 365
# Calls with a token for each sign-in.
READS_A_SIGN_IN = 50
# How much busier the busiest second is than the average one.
PEAK = 10
_SEED = 1
# A key that more of the calls have than this is not one of a user.
_SHARED = 0.02

# Units of each key by the name of a call, and how many calls were made.
Measured = dict[str, tuple[Heat, int]]


class Users:
    """Users with common names, who sign up, sign in and change themselves.

    Args:
        app: The app.
        count: The number of users.
    """

    def __init__(self, app: Flask, count: int) -> None:
        self._app = app
        # Nothing secret depends on this randomness.
        self._random = random.Random(_SEED)  # nosec B311
        self._first = [*FREQUENCY_LISTS["female_names"], *FREQUENCY_LISTS["male_names"]]
        self._last = FREQUENCY_LISTS["surnames"]
        self._names = [self._name() for _ in range(count)]
        self._tokens: list[str] = []

    def calls(self) -> Iterator[tuple[str, Callable[[int], Any]]]:
        """Yield the calls of a user by their names, in the order in which they work."""
        yield "`POST /v1/users`", self._sign_up
        yield "`POST /v1/sessions`", self._sign_in
        yield "`POST /v1/sessions`, wrong password", self._fail_to_sign_in
        yield "`GET /v1/verify`", lambda number: self._with_token("GET", "/v1/verify", number)
        yield "`PATCH /v1/users/me`", self._rename

    def _name(self) -> tuple[str, str]:
        """Return a first and a last name: the n-th most frequent one has a weight of 1/n."""
        return self._choose(self._first), self._choose(self._last)

    def _choose(self, names: list[str]) -> str:
        # The inverse of the sum of 1/n, which is about a logarithm.
        return names[int(len(names) ** self._random.random()) - 1]

    def _email(self, number: int) -> str:
        first, last = self._names[number]
        return f"{first}.{last}{number}@example.com"

    def _sign_up(self, number: int) -> None:
        name = " ".join(self._names[number]).title()
        account = {"email": self._email(number), "full_name": name, "password": PASSWORD}
        call(self._app, "POST", "/v1/users", account)

    def _sign_in(self, number: int) -> None:
        body = {"login": self._email(number), "password": PASSWORD}
        self._tokens.append(call(self._app, "POST", "/v1/sessions", body)["token"])

    def _fail_to_sign_in(self, number: int) -> None:
        body = {"login": self._email(number), "password": "not the password of this user"}
        call(self._app, "POST", "/v1/sessions", body, status="401")

    def _rename(self, number: int) -> None:
        self._with_token("PATCH", "/v1/users/me", number, {"full_name": " ".join(self._name())})

    def _with_token(self, method: str, path: str, number: int, body: Any = None) -> Any:
        return call(
            self._app, method, path, body, HTTP_AUTHORIZATION=f"Bearer {self._tokens[number]}"
        )


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.scale", __doc__, rounds=1, seconds=1)
    command.add_users_argument(parser)
    parser.set_defaults(users=2000)
    arguments = parser.parse_args()

    def measure() -> str:
        # Each wrong password is a warning.
        logging.disable(logging.WARNING)
        with local_engine() as engine:
            measured = _measure(engine, arguments.users)
        return "\n".join(_render(measured, arguments.users))

    return command.run(SECTION, arguments.write, measure)


def _measure(engine: Engine, count: int) -> Measured:
    app = create_bench_app(engine)
    measured: Measured = {}
    with app.app_context():
        db.create_all()
        background = app.extensions["roster"].background
        for name, make_call in Users(app, count).calls():
            recorder = HeatRecorder(engine)
            with recorder.recording():
                for number in range(count):
                    make_call(number)
                background.drain()
            measured[name] = (recorder.heat, count)
    return measured


def _shared(units: Mapping[Key, float], calls: int) -> Iterator[tuple[str, int, float]]:
    """Yield name, number of keys and units of the fullest key a call, where users share keys."""
    resources: dict[str, list[float]] = {}
    for (resource, _), number in units.items():
        resources.setdefault(resource, []).append(number)
    for resource, numbers in sorted(resources.items()):
        if len(numbers) < calls / 4:
            yield resource, len(numbers), max(numbers) / calls


def _limits(measured: Measured) -> Iterator[tuple[str, str, str, int, float, float]]:
    """Yield call, resource, kind, keys, units a call, and calls a second when the key is full."""
    for name, (heat, calls) in measured.items():
        for kind, units, most in (
            ("write", heat.writes, MAX_WRITES),
            ("read", heat.reads, MAX_READS),
        ):
            for resource, keys, share in _shared(units, calls):
                if share > _SHARED:
                    yield name, resource, kind, keys, share, most / share


def _render(measured: Measured, users: int) -> Iterator[str]:
    yield environment.command(command.command_line("bench.scale"))
    yield f"- {users} users with names from the frequency lists of zxcvbn, who make each call once"
    yield ""
    yield "| call | partition keys of many users | keys | units of the fullest, a call | full at |"
    yield "| --- | --- | ---: | ---: | ---: |"
    limits = list(_limits(measured))
    for name, resource, kind, keys, share, rate in limits:
        yield row(
            [name, f"`{resource}`", str(keys), f"{share:.2f} {kind}", f"{rate:,.0f} a second"]
        )
    yield ""
    heads = ("sign-ups", "sign-ins", "reads")
    yield row(["users", *(f"{head} in the busiest second" for head in heads), "fullest key"])
    yield "| ---: | ---: | ---: | ---: | --- |"
    for size in SIZES:
        yield row(_size(size, limits))


def _size(users: int, limits: list[tuple[str, str, str, int, float, float]]) -> Iterator[str]:
    days = {
        "`POST /v1/users`": users * SIGN_UPS_A_DAY,
        "`POST /v1/sessions`": users * SIGN_INS_A_DAY,
        "`GET /v1/verify`": users * SIGN_INS_A_DAY * READS_A_SIGN_IN,
    }
    peaks = {name: number / 86_400 * PEAK for name, number in days.items()}
    # The keys that several kinds of calls share are full by the sum of these.
    load: dict[Key, float] = defaultdict(float)
    for name, resource, kind, _, share, _ in limits:
        load[resource, kind] += peaks.get(name, 0) * share
    most = {"write": MAX_WRITES, "read": MAX_READS}
    fullest = max(
        ((number / most[kind], resource) for (resource, kind), number in load.items()),
        default=(-inf, ""),
    )
    sign_ups, sign_ins, reads = peaks.values()
    yield f"{users:,}"
    yield from (f"{sign_ups:,.1f}", f"{sign_ins:,.1f}", f"{reads:,.0f}")
    yield f"`{fullest[1]}`, {fullest[0]:.1%}"


if __name__ == "__main__":
    sys.exit(main())
