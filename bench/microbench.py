"""`python -m bench.microbench`: processor time of requests in Python, without server and argon2.

One thread calls the WSGI app directly, on an engine in memory, with the cheapest argon2 profile.
Only this process's processor time counts. The requests alternate within each round; the figures
are medians.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from statistics import median
from typing import Any

from flask import Flask
from werkzeug.test import create_environ

from bench.support import command, environment
from bench.support.document import Section
from bench.support.engine import local_engine
from bench.support.process import BenchError
from bench.support.tables import row, spread
from bench.support.users import PASSWORD
from flask_pynamodb.local import Engine
from models import CHEAPEST_PROFILE, db
from models.tables.user import User
from roster.app import create_app
from roster.config import Config

SECTION = Section("bench.microbench")
TRANSPORT = "`GetItem` over the curl transport, without PynamoDB"
READ = "`GET /v1/users/{id}`"
_CALLS = 200

Work = Callable[[], Any]
# Microseconds of processor time per call, by name.
Round = dict[str, float]


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    arguments = command.create_parser("bench.microbench", __doc__, rounds=5, seconds=1).parse_args()

    def measure() -> str:
        with local_engine() as engine:
            app = create_bench_app(engine)
            with app.app_context():
                db.create_all()
                works = dict(_works(app))
                rounds = [
                    {name: _cost(work) for name, work in works.items()}
                    for _ in range(arguments.rounds + 1)
                ]
        # The first round opens connections and fills caches; it is discarded.
        return "\n".join(_render(rounds[1:]))

    return command.run(SECTION, arguments.write, measure)


def create_bench_app(engine: Engine) -> Flask:
    """Create an app on an engine, with cheap hashes and without rate limits."""
    settings = {
        "DYNAMODB_HOST": engine.host,
        "DYNAMODB_REGION": "us-east-1",
        "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
        "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
    }
    # One client makes more requests here than the rate limits allow; the password is that of the
    # demo users, which is rejected elsewhere.
    config = Config(
        secret_keys=("only for the bench",),
        workers=1,
        dynamodb=settings,
        rate_limits=False,
        demo=True,
    )
    return create_app(config, profile=CHEAPEST_PROFILE)


def _works(app: Flask) -> Iterator[tuple[str, Work]]:
    count = 0

    def sign_up() -> Any:
        nonlocal count
        count += 1
        name = f"user-{count}"
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        return call(app, "POST", "/v1/users", account)

    def sign_in() -> Any:
        return call(app, "POST", "/v1/sessions", {"login": "user-1", "password": PASSWORD})

    user_id = sign_up()["id"]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {sign_in()['token']}"}
    connection = User._get_connection().connection
    request = {"TableName": User.Meta.table_name, "Key": {"id": {"S": user_id}}}
    yield "`GET /health/live`: an empty view", lambda: call(app, "GET", "/health/live")
    yield (
        TRANSPORT,
        lambda: connection.client._make_api_call("GetItem", request),
    )
    yield "`User.get`", lambda: User.get(user_id, consistent_read=True)
    yield READ, lambda: call(app, "GET", f"/v1/users/{user_id}", **bearer)
    yield "`POST /v1/users`", sign_up
    yield "`POST /v1/sessions`", sign_in


def call(
    app: Flask, method: str, path: str, body: Any = None, *, status: str = "2", **more: str
) -> Any:
    """Call the WSGI app, and return the parsed JSON of its response.

    Raises:
        BenchError: The status does not begin with `status`.
    """
    content = b"" if body is None else json.dumps(body).encode()
    environ: dict[str, Any] = {**_ENVIRON, "REQUEST_METHOD": method, "PATH_INFO": path, **more}
    environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(content)), BytesIO(content)
    statuses: list[str] = []

    def start(status: str, *_: Any) -> Any:
        statuses.append(status)

    response = b"".join(app.wsgi_app(environ, start))
    if not statuses[0].startswith(status):
        raise BenchError(f"{method} {path} returned {statuses[0]}: {response.decode()}")
    return json.loads(response) if response else None


# Created once: werkzeug takes longer to create one than the app to respond.
_ENVIRON = create_environ(method="POST", content_type="application/json")


def _cost(work: Work) -> float:
    before = time.process_time()
    for _ in range(_CALLS):
        work()
    return (time.process_time() - before) / _CALLS * 1e6


def _render(rounds: Sequence[Round]) -> Iterator[str]:
    yield environment.command(command.command_line("bench.microbench"))
    yield environment.machine()
    yield f"- Medians of {len(rounds)} rounds of {_CALLS} calls"
    yield ""
    yield "| measured | µs of processor time | min..max |"
    yield "| --- | ---: | ---: |"
    for name in rounds[0]:
        yield row([name, *spread([cost[name] for cost in rounds], "{:.0f}".format)])
    read = median(cost[READ] for cost in rounds)
    call = median(cost[TRANSPORT] for cost in rounds)
    yield ""
    yield f"One call of the transport takes {call / read:.0%} of a read."


if __name__ == "__main__":
    sys.exit(main())
