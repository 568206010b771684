"""What is measured, and in which order: everything once in each round, one beside the other."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import argon2, service
from bench.cast import PAGE, PASSWORD, Cast, bearer, enrol
from bench.load import Load, run_warm
from bench.service import Service
from bench.tables import Round

BARE = "bare Flask route"
READ = "`GET /v1/users/{id}`"
LIST = f"`GET {PAGE}`"
SIGN_UP = "`POST /v1/users` (sign-up)"
SIGN_IN = "`POST /v1/sessions` (sign-in)"
ARGON2 = "argon2 alone"
# How many requests wait for an answer: enough to keep the workers busy, fewer where argon2 does.
CONNECTIONS = {BARE: 16, READ: 16, LIST: 16, SIGN_UP: 8, SIGN_IN: 8}
STARTS = 5
_JSON = {"Content-Type": "application/json"}
# argon2 stands between the two that are compared with it.
ORDER = (BARE, READ, LIST, SIGN_UP, ARGON2, SIGN_IN)

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
    """
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
            # A fresh copy, so that no round finds the users of the one before.
            copy = shutil.copytree(store, folder / f"round-{number}")
            with service.roster(copy) as roster:
                report(f"round {number + 1} of {rounds}")
                found.append(_round(bare, roster, cast, seconds, report))
            shutil.rmtree(copy)
    return Figures(found, starts, users)


def _round(bare: Service, roster: Service, cast: Cast, seconds: int, report: Report) -> Round:
    steps = {
        load.name: partial(run_warm, load, CONNECTIONS[load.name], seconds)
        for load in _loads(bare, roster, cast)
    }
    found = {}
    for name in ORDER:
        found[name] = argon2.measure(seconds) if name == ARGON2 else steps[name]()
        report(f"  {name}: {found[name].rate:,.1f}/s")
    return found


def reading(roster: Service, cast: Cast) -> Load:
    """A user reads itself."""
    url = f"{roster.url}/v1/users/{cast.user['id']}"
    return Load(READ, roster.pid, url, headers=bearer(cast.token))


def signing_in(roster: Service, cast: Cast) -> Load:
    """Users sign in, one after the other."""
    url, bodies = f"{roster.url}/v1/sessions", _credentials(cast.usernames)
    return Load(SIGN_IN, roster.pid, url, "POST", 201, headers=_JSON, bodies=bodies)


def _loads(bare: Service, roster: Service, cast: Cast) -> list[Load]:
    users = f"{roster.url}/v1/users"
    return [
        Load(BARE, bare.pid, f"{bare.url}/"),
        reading(roster, cast),
        Load(LIST, roster.pid, f"{roster.url}{PAGE}", headers=bearer(cast.admin_token)),
        Load(SIGN_UP, roster.pid, users, "POST", 201, headers=_JSON, bodies=_NEW_USER),
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
