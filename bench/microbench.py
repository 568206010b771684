"""`python -m bench.parts`: what requests cost Python alone, without a server and without argon2.

One thread calls the app as a server would, on an engine in memory, with argon2 as cheap as it gets.
Only this process's processor time counts. Rounds of all requests take turns; the figures are
medians.
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

from bench import command, environment
from bench.document import Section
from bench.process import BenchError
from bench.tables import row, spread
from bench.users import PASSWORD
from flask_pynamodb.local import Engine
from models import CHEAPEST_PROFILE, db
from models.tables.user import User
from roster.app import create_app
from roster.config import Config

_CALLS = 200

Work = Callable[[], Any]
# Microseconds of processor time for a call, by what is called.
Round = dict[str, float]


def main() -> int:
    """Measure, print, and with --write put the figures into the document; the process's status."""
    arguments = command.parser("bench.microbench", __doc__, rounds=5, seconds=1).parse_args()

    def measure() -> str:
        with Engine() as engine:
            app = _app(engine)
            with app.app_context():
                db.create_all()
                works = dict(_works(app))
                rounds = [
                    {name: _cost(work) for name, work in works.items()}
                    for _ in range(arguments.rounds + 1)
                ]
        # The first round makes connections, fills caches and is forgotten.
        return "\n".join(_render(rounds[1:]))

    return command.run(Section("bench.microbench"), arguments.write, measure)


def _app(engine: Engine) -> Flask:
    settings = {
        "DYNAMODB_HOST": engine.host,
        "DYNAMODB_REGION": "us-east-1",
        "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
        "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
    }
    # One client makes more requests here than it may.
    config = Config(
        secret_key="only for the bench", workers=1, dynamodb=settings, rate_limits=False
    )
    return create_app(config, profile=CHEAPEST_PROFILE)


def _works(app: Flask) -> Iterator[tuple[str, Work]]:
    made = 0

    def sign_up() -> Any:
        nonlocal made
        made += 1
        name = f"user-{made}"
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        return _ask(app, "POST", "/v1/users", account)

    def sign_in() -> Any:
        return _ask(app, "POST", "/v1/sessions", {"login": "user-1", "password": PASSWORD})

    user_id = sign_up()["id"]
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {sign_in()['token']}"}
    connection = User._get_connection().connection
    request = {"TableName": User.Meta.table_name, "Key": {"id": {"S": user_id}}}
    yield "`GET /health/live`: a view that does nothing", lambda: _ask(app, "GET", "/health/live")
    yield (
        "`GetItem` over the lean transport, PynamoDB aside",
        lambda: connection.client._make_api_call("GetItem", request),
    )
    yield "`User.get`", lambda: User.get(user_id, consistent_read=True)
    yield "`GET /v1/users/{id}`", lambda: _ask(app, "GET", f"/v1/users/{user_id}", **bearer)
    yield "`POST /v1/users`", sign_up
    yield "`POST /v1/sessions`", sign_in


def _ask(app: Flask, method: str, path: str, body: Any = None, **more: str) -> Any:
    sent = b"" if body is None else json.dumps(body).encode()
    environ: dict[str, Any] = {**_ENVIRON, "REQUEST_METHOD": method, "PATH_INFO": path, **more}
    environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(sent)), BytesIO(sent)
    statuses: list[str] = []

    def start(status: str, *_: Any) -> Any:
        statuses.append(status)

    answer = b"".join(app.wsgi_app(environ, start))
    if statuses[0][0] != "2":
        raise BenchError(f"{method} {path} answered {statuses[0]}: {answer.decode()}")
    return json.loads(answer)


# Made once: werkzeug takes longer to make one than the app to answer.
_ENVIRON = create_environ(method="POST", content_type="application/json")


def _cost(work: Work) -> float:
    before = time.process_time()
    for _ in range(_CALLS):
        work()
    return (time.process_time() - before) / _CALLS * 1e6


def _render(rounds: Sequence[Round]) -> Iterator[str]:
    yield environment.command(command.typed("bench.microbench"))
    yield environment.machine()
    yield f"- Medians of {len(rounds)} rounds of {_CALLS} calls"
    yield ""
    yield "| what | µs of processor time | min..max |"
    yield "| --- | ---: | ---: |"
    for name in rounds[0]:
        yield row([name, *spread([each[name] for each in rounds], "{:.0f}".format)])
    read = median(each["`GET /v1/users/{id}`"] for each in rounds)
    call = median(each["`GetItem` over the lean transport, PynamoDB aside"] for each in rounds)
    yield ""
    yield f"One call of the transport is {call / read:.0%} of a read."


if __name__ == "__main__":
    sys.exit(main())
