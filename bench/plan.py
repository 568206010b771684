"""What is measured, and in which order: everything once in each round, one beside the other."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import argon2, service
from bench.cores import Split, run_on
from bench.load import Load, Sample, run_warm
from bench.service import WORKERS, Service
from bench.tables import Round
from bench.users import PAGE, PASSWORD, Cast, bearer, enrol

BARE = "bare Flask route"
READ = "`GET /v1/users/{id}`"
LIST = f"`GET {PAGE}`"
SIGN_UP = "`POST /v1/users` (sign-up)"
SIGN_IN = "`POST /v1/sessions` (sign-in)"
ARGON2 = "argon2 alone"
# The same where nobody shares the service's cores, and argon2 alone has those.
OWN_SIGN_UP = "sign-up, own cores"
OWN_ARGON2 = "argon2 alone, those cores"
OWN_SIGN_IN = "sign-in, own cores"
# How many requests wait for an answer: enough to keep the workers busy, fewer where argon2 does.
CONNECTIONS = {BARE: 16, READ: 16, LIST: 16, SIGN_UP: 8, SIGN_IN: 8}
STARTS = 5
_JSON = {"Content-Type": "application/json"}
# A service on cores of its own has one worker for each, and as many requests for each worker.
_OWN_CONNECTIONS_EACH = CONNECTIONS[SIGN_IN] // WORKERS
# argon2 stands between the two that are compared with it.
_SHARED = (BARE, READ, LIST, SIGN_UP, ARGON2, SIGN_IN)
_OWN = (OWN_SIGN_UP, OWN_ARGON2, OWN_SIGN_IN)
ORDER = _SHARED + _OWN

_NEW_USER = f"""
local function body_of(made)
  local name = run_id .. "-" .. thread_id .. "-" .. made
  return '{{"username":"' .. name .. '","email":"' .. name .. '@example.com",'
    .. '"password":"{PASSWORD}"}}'
end
"""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """What the benchmark found.

    Attributes:
        rounds: The samples of each round.
        starts: Seconds from exec to ready on existing data, for each start.
        users: How many users the store has at the beginning of a round.
    """

    rounds: list[Round]
    starts: list[float]
    users: int


def measure(folder: Path, *, rounds: int, seconds: int, users: int, report: Report) -> Figures:
    """Measure everything.

    Args:
        folder: An empty folder for data and logs.
        rounds: How often.
        seconds: How long each load lasts.
        users: How many users to sign up before.
        report: Told what goes on, in one line.

    Raises:
        BenchError: Its text says why.
    """
    split = Split.of_machine()
    store = folder / "store"
    report(f"signing up {users} users")
    with service.roster(store) as started:
        cast = enrol(started, users)
    starts = []
    for number in range(STARTS):
        with service.roster(store) as started:
            starts.append(started.start_seconds)
        report(f"start {number + 1} of {STARTS} on existing data: {starts[-1]:.2f} s")
    found = []
    with service.bare(cast.user, folder / "bare.log") as bare:
        for number in range(rounds):
            report(f"round {number + 1} of {rounds}")
            with _copy(store, folder / f"round-{number}") as copy, service.roster(copy) as roster:
                shared = _shared(bare, roster, cast, seconds, report)
            with (
                _copy(store, folder / f"own-{number}") as copy,
                run_on(split.own),
                service.roster(copy, workers=len(split.own)) as roster,
            ):
                split.send_engine_away(roster)
                own = _own(roster, cast, split, seconds, report)
            found.append({**shared, **own})
    return Figures(found, starts, users)


def at_once(name: str) -> str:
    """How many requests wait for an answer, or how many processes hash."""
    cores = len(Split.of_machine().own)
    if name in (ARGON2, OWN_ARGON2):
        processes = WORKERS if name == ARGON2 else cores
        return f"{processes} process{'es' if processes > 1 else ''}"
    return str(_OWN_CONNECTIONS_EACH * cores if name in _OWN else CONNECTIONS[name])


@contextmanager
def _copy(store: Path, to: Path) -> Iterator[Path]:
    # A fresh one each time, so that nobody finds the users of somebody before.
    shutil.copytree(store, to)
    yield to
    shutil.rmtree(to)


def _shared(bare: Service, roster: Service, cast: Cast, seconds: int, report: Report) -> Round:
    loads = {load.name: load for load in _loads(bare, roster, cast)}
    found = {}
    for name in _SHARED:
        if name == ARGON2:
            found[name] = argon2.measure(seconds, WORKERS)
        else:
            found[name] = run_warm(loads[name], CONNECTIONS[name], seconds)
        _tell(report, name, found[name])
    return found


def _own(roster: Service, cast: Cast, split: Split, seconds: int, report: Report) -> Round:
    """Measure on the service's own cores, to which this process is confined already."""
    sign_up = replace(_signing_up(roster), name=OWN_SIGN_UP)
    sign_in = replace(signing_in(roster, cast), name=OWN_SIGN_IN)
    loads = {load.name: load for load in (sign_up, sign_in)}
    cores = len(split.own)
    found = {}
    for name in _OWN:
        if name == OWN_ARGON2:
            found[name] = argon2.measure(seconds, cores)
        else:
            with run_on(split.others):
                found[name] = run_warm(loads[name], _OWN_CONNECTIONS_EACH * cores, seconds)
        _tell(report, name, found[name])
    return found


def _tell(report: Report, name: str, sample: Sample) -> None:
    report(f"  {name}: {sample.rate:,.1f}/s")


def reading(roster: Service, cast: Cast) -> Load:
    """A user reads itself."""
    url = f"{roster.url}/v1/users/{cast.user['id']}"
    return Load(READ, roster.pid, url, headers=bearer(cast.token))


def signing_in(roster: Service, cast: Cast) -> Load:
    """Users sign in, one after the other."""
    url, bodies = f"{roster.url}/v1/sessions", _credentials(cast.usernames)
    return Load(SIGN_IN, roster.pid, url, "POST", 201, headers=_JSON, bodies=bodies)


def _signing_up(roster: Service) -> Load:
    url = f"{roster.url}/v1/users"
    return Load(SIGN_UP, roster.pid, url, "POST", 201, headers=_JSON, bodies=_NEW_USER)


def _loads(bare: Service, roster: Service, cast: Cast) -> list[Load]:
    return [
        Load(BARE, bare.pid, f"{bare.url}/"),
        reading(roster, cast),
        Load(LIST, roster.pid, f"{roster.url}{PAGE}", headers=bearer(cast.admin_token)),
        _signing_up(roster),
        signing_in(roster, cast),
    ]


def _credentials(usernames: list[str]) -> str:
    """Takes turns, so that no two requests are about one user at one time."""
    return f"""
local names = {{{", ".join(map(json.dumps, usernames))}}}
local function body_of(made)
  local name = names[(2 * made + thread_id) % #names + 1]
  return '{{"login":"' .. name .. '","password":"{PASSWORD}"}}'
end
"""
