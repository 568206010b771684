"""`python -m bench.failed_sign_ins`: the time of a failed sign-in, by how the password is stored.

Each round signs in once with a wrong password for each account, one request at a time, against a
service without a minimum time, and against one with the default. Each round has users of its own,
so that none is locked out.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from argon2 import PasswordHasher as Argon2
from passlib.context import CryptContext

from bench.support import command, environment, service
from bench.support.document import Section
from bench.support.engine import local_engine
from bench.support.service import REGION, WORKERS
from bench.support.tables import row, spread
from bench.support.users import PASSWORD
from flask_pynamodb import DEFAULT_TRANSPORT
from flask_pynamodb.local import Engine
from models import UserImport, db
from roster.config import Config
from roster.wiring import open_services

SECTION = Section("bench.failed_sign_ins")
UNKNOWN = "unknown login"
_CURRENT = "argon2id of Roster"
_WRONG = "not the password at all"
_PASSLIB = CryptContext(["bcrypt", "pbkdf2_sha256", "ldap_salted_sha1", "sha512_crypt"])
# Milliseconds by account.
Round = dict[str, float]


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.failed_sign_ins", __doc__, rounds=9, seconds=1)
    arguments = parser.parse_args()

    def measure() -> str:
        before = _measure(arguments.rounds, "0s")
        after = _measure(arguments.rounds, "1s")
        return "\n".join(_render(before, after))

    return command.run(SECTION, arguments.write, measure)


def _hashes() -> dict[str, str | None]:
    """Return a hash for each kind of account, None for one without a password."""

    def made(scheme: str, **settings: int) -> str:
        return str(_PASSLIB.handler(scheme).using(**settings).hash(PASSWORD))

    return {
        "no password": None,
        _CURRENT: Argon2(2, 19456, 1).hash(PASSWORD),
        "argon2, 4 MiB, 1 pass": Argon2(1, 4096, 1).hash(PASSWORD),
        "argon2, 100 MiB, 2 passes (Django)": Argon2(2, 102400, 8).hash(PASSWORD),
        "salted SHA-1": made("ldap_salted_sha1"),
        "bcrypt, cost 10": made("bcrypt", rounds=10),
        "bcrypt, cost 12": made("bcrypt", rounds=12),
        "PBKDF2-SHA256, 1,200,000 rounds": made("pbkdf2_sha256", rounds=1_200_000),
        "SHA-512 crypt, 656,000 rounds": made("sha512_crypt", rounds=656_000),
    }


def _measure(rounds: int, minimum: str) -> list[Round]:
    hashes = _hashes()
    settings = {"ROSTER_FAILED_SIGN_IN_TIME": minimum, "ROSTER_RATE_LIMITS": "off"}
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder, local_engine() as engine:
        _import(engine, hashes, rounds)
        log = Path(folder) / "roster.log"
        with service.roster_on(
            engine.host, log, transport=DEFAULT_TRANSPORT, settings=settings
        ) as roster:
            # The first requests open connections.
            for number in range(2 * WORKERS):
                _attempt(roster, f"nobody-{number}")
            results = []
            for number in range(rounds):
                logins = {UNKNOWN: f"unknown-{number}"}
                logins |= {name: f"user-{number}-{i}" for i, name in enumerate(hashes)}
                results.append({name: _attempt(roster, login) for name, login in logins.items()})
                command.log(f"minimum {minimum}, round {number + 1} of {rounds}")
    return results


def _import(engine: Engine, hashes: dict[str, str | None], rounds: int) -> None:
    """Create the tables, and import a user for each round and hash."""
    config = Config(
        secret_keys=("only for the bench",),
        workers=1,
        dynamodb={
            "DYNAMODB_HOST": engine.host,
            "DYNAMODB_REGION": REGION,
            "DYNAMODB_TABLE_PREFIX": "roster-",
            "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
            "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
        },
    )
    with open_services(config) as services:
        db.create_all()
        users = UserImport(services.accounts)
        for number in range(rounds):
            for i, hash in enumerate(hashes.values()):
                name = f"user-{number}-{i}"
                email = f"{name}@example.com"
                users.import_user(username=name, email=email, password_hash=hash)


def _attempt(roster: service.Service, login: str) -> float:
    start = time.perf_counter()
    roster.request("POST", "/v1/sessions", 401, body={"login": login, "password": _WRONG})
    return (time.perf_counter() - start) * 1000


def _render(before: list[Round], after: list[Round]) -> Iterator[str]:
    yield environment.command(command.command_line("bench.failed_sign_ins"))
    yield environment.machine()
    yield f"- Load average of the last minute at the end: {os.getloadavg()[0]:.1f}"
    yield f"- Medians and ranges of {len(before)} rounds, one request at a time, {WORKERS} workers"
    yield ""
    yield "| account | without a minimum: ms | min..max | with 1 s: ms | min..max |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name in before[0]:
        cells = [name]
        for rounds in (before, after):
            cells += spread([each[name] for each in rounds], "{:.0f}".format)
        yield row(cells)


if __name__ == "__main__":
    sys.exit(main())
