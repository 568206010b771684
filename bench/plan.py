"""The measurements of `python -m bench` and their order: each once in every round."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.support import argon2, service
from bench.support.cores import CoreSplit, run_on
from bench.support.load import Load, Sample, run_warm
from bench.support.service import WORKERS, Service
from bench.support.tables import Round
from bench.support.users import PAGE, PASSWORD, Users, bearer, create_users

BARE = "bare Flask route"
READ = "`GET /v1/users/{id}`"
LIST = f"`GET {PAGE}`"
SIGN_UP = "`POST /v1/users` (sign-up)"
SIGN_IN = "`POST /v1/sessions` (sign-in)"
ARGON2 = "argon2 alone"
# The same on cores that no other process of the benchmark uses.
DEDICATED_SIGN_UP = "sign-up, dedicated cores"
DEDICATED_ARGON2 = "argon2 alone, dedicated cores"
DEDICATED_SIGN_IN = "sign-in, dedicated cores"
# Concurrent requests: enough to keep the workers busy, fewer where argon2 does.
CONNECTIONS = {BARE: 16, READ: 16, LIST: 16, SIGN_UP: 8, SIGN_IN: 8}
STARTS = 5
_JSON = {"Content-Type": "application/json"}
# A service on dedicated cores has one worker for each core, and as many requests for each worker.
_CONNECTIONS_PER_DEDICATED_CORE = CONNECTIONS[SIGN_IN] // WORKERS
# argon2 runs between the two measurements that are compared with it.
_SHARED = (BARE, READ, LIST, SIGN_UP, ARGON2, SIGN_IN)
_DEDICATED = (DEDICATED_SIGN_UP, DEDICATED_ARGON2, DEDICATED_SIGN_IN)
ORDER = _SHARED + _DEDICATED

_NEW_USER = f"""
local function body_of(number)
  local name = run_id .. "-" .. thread_id .. "-" .. number
  return '{{"username":"' .. name .. '","email":"' .. name .. '@example.com",'
    .. '"password":"{PASSWORD}"}}'
end
"""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Results:
    """The results of the benchmark.

    Attributes:
        rounds: The samples of each round.
        starts: Seconds from exec to ready on existing data, for each start.
        user_count: The number of users in the database at the start of a round.
    """

    rounds: list[Round]
    starts: list[float]
    user_count: int


def measure(folder: Path, *, rounds: int, seconds: int, user_count: int, log: Log) -> Results:
    """Run all measurements.

    Args:
        folder: An empty folder for data and logs.
        rounds: The number of rounds.
        seconds: The duration of each load.
        user_count: The number of users to sign up first.
        log: Receives lines about the progress.

    Raises:
        BenchError: The text says why.
    """
    split = CoreSplit.of_machine()
    data = folder / "store"
    log(f"signing up {user_count} users")
    with service.roster(data) as roster:
        users = create_users(roster, user_count)
    starts = []
    for number in range(STARTS):
        with service.roster(data) as roster:
            starts.append(roster.start_seconds)
        log(f"start {number + 1} of {STARTS} on existing data: {starts[-1]:.2f} s")
    results = []
    with service.bare(users.user, folder / "bare.log") as bare:
        for number in range(rounds):
            log(f"round {number + 1} of {rounds}")
            with _copy(data, folder / f"round-{number}") as copy, service.roster(copy) as roster:
                shared = _measure_shared(bare, roster, users, seconds, log)
            with (
                _copy(data, folder / f"dedicated-{number}") as copy,
                run_on(split.dedicated),
                service.roster(copy, workers=len(split.dedicated)) as roster,
            ):
                split.move_engine(roster)
                dedicated = _measure_dedicated(roster, users, split, seconds, log)
            results.append({**shared, **dedicated})
    return Results(results, starts, user_count)


def concurrency(name: str) -> str:
    """Return the number of concurrent requests, or of processes that hash."""
    cores = len(CoreSplit.of_machine().dedicated)
    if name in (ARGON2, DEDICATED_ARGON2):
        processes = WORKERS if name == ARGON2 else cores
        return f"{processes} process{'es' if processes > 1 else ''}"
    is_dedicated = name in _DEDICATED
    return str(_CONNECTIONS_PER_DEDICATED_CORE * cores if is_dedicated else CONNECTIONS[name])


@contextmanager
def _copy(data: Path, to: Path) -> Iterator[Path]:
    # A fresh copy for each measurement, so that none reads users that another one has created.
    shutil.copytree(data, to)
    yield to
    shutil.rmtree(to)


def _measure_shared(bare: Service, roster: Service, users: Users, seconds: int, log: Log) -> Round:
    loads = {load.name: load for load in _loads(bare, roster, users)}
    samples = {}
    for name in _SHARED:
        if name == ARGON2:
            samples[name] = argon2.measure(seconds, WORKERS)
        else:
            samples[name] = run_warm(loads[name], CONNECTIONS[name], seconds)
        _log_rate(log, name, samples[name])
    return samples


def _measure_dedicated(
    roster: Service, users: Users, split: CoreSplit, seconds: int, log: Log
) -> Round:
    """Measure on the dedicated cores; this process must be restricted to them already."""
    sign_up = replace(_sign_up_load(roster), name=DEDICATED_SIGN_UP)
    sign_in = replace(sign_in_load(roster, users), name=DEDICATED_SIGN_IN)
    loads = {load.name: load for load in (sign_up, sign_in)}
    cores = len(split.dedicated)
    samples = {}
    for name in _DEDICATED:
        if name == DEDICATED_ARGON2:
            samples[name] = argon2.measure(seconds, cores)
        else:
            with run_on(split.remaining):
                connections = _CONNECTIONS_PER_DEDICATED_CORE * cores
                samples[name] = run_warm(loads[name], connections, seconds)
        _log_rate(log, name, samples[name])
    return samples


def _log_rate(log: Log, name: str, sample: Sample) -> None:
    log(f"  {name}: {sample.rate:,.1f}/s")


def read_load(roster: Service, users: Users) -> Load:
    """Return the load in which a user reads itself."""
    url = f"{roster.url}/v1/users/{users.user['id']}"
    return Load(READ, roster.pid, url, headers=bearer(users.token))


def sign_in_load(roster: Service, users: Users) -> Load:
    """Return the load in which all users sign in, one after the other."""
    url, function = f"{roster.url}/v1/sessions", _credentials_function(users.usernames)
    return Load(SIGN_IN, roster.pid, url, "POST", 201, headers=_JSON, body_function=function)


def _sign_up_load(roster: Service) -> Load:
    url = f"{roster.url}/v1/users"
    return Load(SIGN_UP, roster.pid, url, "POST", 201, headers=_JSON, body_function=_NEW_USER)


def _loads(bare: Service, roster: Service, users: Users) -> list[Load]:
    return [
        Load(BARE, bare.pid, f"{bare.url}/"),
        read_load(roster, users),
        Load(LIST, roster.pid, f"{roster.url}{PAGE}", headers=bearer(users.admin_token)),
        _sign_up_load(roster),
        sign_in_load(roster, users),
    ]


def _credentials_function(usernames: list[str]) -> str:
    """Return Lua that iterates over the users, so that concurrent requests have different ones."""
    return f"""
local names = {{{", ".join(map(json.dumps, usernames))}}}
local function body_of(number)
  local name = names[(2 * number + thread_id) % #names + 1]
  return '{{"login":"' .. name .. '","password":"{PASSWORD}"}}'
end
"""
