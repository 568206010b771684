"""`python -m bench.services`: the requests of other services beside a read of a user.

Introspection, verification for gateways, signed access tokens and their published keys, all with
the token of one session, in each round one after the other.
"""

import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.support import command, environment, service, tables
from bench.support.document import Section
from bench.support.engine import find_engine
from bench.support.load import Load, find_wrk, run_warm
from bench.support.service import WORKERS, Service
from bench.support.tables import Ratio, Round
from bench.support.users import Users, bearer, create_users

SECTION = Section("bench.services")
READ = "`GET /v1/users/me`"
INTROSPECT = "`POST /oauth/introspect`"
VERIFY = "`GET /v1/verify`"
TOKEN = "`POST /v1/tokens`, RS256"
JWKS = "`GET /.well-known/jwks.json`"
CONNECTIONS = 16
_RATIOS = (
    Ratio(INTROSPECT, READ, 0.9),
    Ratio(VERIFY, READ, 0.9),
    Ratio(TOKEN, READ, 0.7),
    Ratio(JWKS, READ, 3),
)
_ORDER = (READ, INTROSPECT, VERIFY, TOKEN, JWKS)
_AUDIENCE = "https://billing.example.com"
_PACKAGES = ("flask", "granian", "joserfc", "cryptography")


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.services", __doc__, rounds=5, seconds=5)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_engine()
        with (
            tempfile.TemporaryDirectory(prefix="roster-bench-") as folder,
            service.roster(Path(folder) / "store") as roster,
        ):
            users = create_users(roster, arguments.users)
            loads = _loads(roster, users)
            rounds = [_round(loads, arguments.seconds) for _ in range(arguments.rounds)]
        return "\n".join(_render(rounds, arguments.users))

    return command.run(SECTION, arguments.write, measure)


def _loads(roster: Service, users: Users) -> list[Load]:
    """Create a client with an audience, and return the loads in their order."""
    body = {"name": "billing", "scopes": ["introspect"], "audience": _AUDIENCE}
    client = roster.request("POST", "/v1/clients", 201, token=users.admin_token, body=body)
    basic = b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    form = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    user = bearer(users.token)
    json = {**user, "Content-Type": "application/json"}
    pid, url = roster.pid, roster.url
    return [
        Load(READ, pid, f"{url}/v1/users/me", headers=user),
        Load(
            INTROSPECT,
            pid,
            f"{url}/oauth/introspect",
            "POST",
            headers=form,
            body=f"token={users.token}",
        ),
        Load(VERIFY, pid, f"{url}/v1/verify", headers=user),
        Load(
            TOKEN,
            pid,
            f"{url}/v1/tokens",
            "POST",
            201,
            headers=json,
            body=f'{{"audience":"{_AUDIENCE}"}}',
        ),
        Load(JWKS, pid, f"{url}/.well-known/jwks.json"),
    ]


def _round(loads: Sequence[Load], seconds: int) -> Round:
    samples = {load.name: run_warm(load, CONNECTIONS, seconds) for load in loads}
    command.log(", ".join(f"{name}: {sample.rate:,.0f}/s" for name, sample in samples.items()))
    return samples


def _render(rounds: Sequence[Round], user_count: int) -> Iterator[str]:
    yield environment.command(command.command_line("bench.services"))
    yield f"{environment.machine()}; wrk runs on the same cores"
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield f"- Rounds: {len(rounds)}, with {WORKERS} workers and {user_count} users in the database"
    yield environment.others([sample for found in rounds for sample in found.values()])
    yield ""
    yield from tables.rates(rounds, dict.fromkeys(_ORDER, str(CONNECTIONS)))
    yield ""
    yield from tables.ratios(rounds, _RATIOS)
    yield ""
    yield from tables.processor(rounds, _ORDER)


if __name__ == "__main__":
    sys.exit(main())
