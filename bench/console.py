"""`python -m bench.console`: the time to the first byte of the console's table of users.

Each round requests the page, the page in German, and the list of the API, which reads the same
users, in turns: one request at a time, on one connection, as an admin who is signed in by the
pages. The service has nothing else to do.
"""

import gzip
import http.client
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from bench.support import command, environment, service
from bench.support.document import Section
from bench.support.process import LOOPBACK, BenchError
from bench.support.service import WORKERS, Service
from bench.support.tables import row, spread, verdict
from bench.support.users import PAGE, PASSWORD, Users, bearer, create_users

SECTION = Section("bench.console")
LIST = f"`GET {PAGE}`"
TABLE = "`GET /admin`"
TRANSLATED = "`GET /admin`, in German"
STATISTICS = "`GET /admin/statistics`"
_GOAL = 1.3
_KILOBYTES = 40
_CALLS = 150
_WARM_UP = 20
_TIMEOUT = 30
_PACKAGES = ("flask", "jinja2", "granian")

Request = tuple[str, Mapping[str, str]]
# Milliseconds to the first byte, by request.
Round = dict[str, list[float]]


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.console", __doc__, rounds=5, seconds=1)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        with (
            tempfile.TemporaryDirectory(prefix="roster-bench-") as folder,
            service.roster(Path(folder) / "store") as roster,
        ):
            requests = _requests(roster, create_users(roster, arguments.users))
            _round(roster, requests, _WARM_UP)
            rounds = [_round(roster, requests, _CALLS) for _ in range(arguments.rounds)]
            sizes = {name: _fetch(roster, requests[name]) for name in (TABLE, STATISTICS)}
        return "\n".join(_render(rounds, sizes, arguments.users))

    return command.run(SECTION, arguments.write, measure)


def _requests(roster: Service, users: Users) -> dict[str, Request]:
    """Return the path and the header fields of each request."""
    browser = {"Cookie": _sign_in(roster), "Accept-Language": "en-US,en;q=0.9"}
    return {
        LIST: (PAGE, bearer(users.admin_token)),
        TABLE: ("/admin", browser),
        TRANSLATED: ("/admin", {**browser, "Accept-Language": "de-DE,de;q=0.9,en;q=0.8"}),
        STATISTICS: ("/admin/statistics", browser),
    }


def _sign_in(roster: Service) -> str:
    """Sign the admin in by the page, and return the cookies of the browser."""
    connection = http.client.HTTPConnection(LOOPBACK, roster.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/sign-in")
        page = connection.getresponse()
        cookies = _cookies_of(page)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
        form = {"login": "john", "password": PASSWORD, "csrf_token": found and found[1]}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": _header(cookies),
            "Origin": roster.url,
        }
        connection.request("POST", "/sign-in", urlencode(form), headers)
        response = connection.getresponse()
        response.read()
        if response.status != 303:
            raise BenchError(f"the admin cannot sign in by the page: {response.status}")
        cookies |= _cookies_of(response)
        # The first page after it sets the token of forms.
        connection.request("GET", "/admin", headers={"Cookie": _header(cookies)})
        return _header({**cookies, **_cookies_of(connection.getresponse())})
    finally:
        connection.close()


def _cookies_of(response: http.client.HTTPResponse) -> dict[str, str]:
    pairs = (field.partition(";")[0] for field in response.headers.get_all("Set-Cookie", []))
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def _header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _round(roster: Service, requests: Mapping[str, Request], calls: int) -> Round:
    times: Round = {name: [] for name in requests}
    connection = http.client.HTTPConnection(LOOPBACK, roster.port, timeout=_TIMEOUT)
    try:
        for _ in range(calls):
            for name, (path, headers) in requests.items():
                start = time.perf_counter()
                connection.request("GET", path, headers=headers)
                response = connection.getresponse()
                times[name].append((time.perf_counter() - start) * 1000)
                _check(name, response, response.read())
    finally:
        connection.close()
    return times


def _fetch(roster: Service, request: Request) -> bytes:
    path, headers = request
    connection = http.client.HTTPConnection(LOOPBACK, roster.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def _check(name: str, response: http.client.HTTPResponse, body: bytes) -> None:
    if response.status != 200:
        raise BenchError(f"{name} returned {response.status}: {body[:200]!r}")
    if name in (TABLE, TRANSLATED) and body.count(b'scope="row"') != 25:
        raise BenchError(f"{name} has no full table of users")


def _render(rounds: Sequence[Round], sizes: Mapping[str, bytes], user_count: int) -> Iterator[str]:
    yield environment.command(command.command_line("bench.console"))
    yield environment.machine()
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield (
        f"- Rounds: {len(rounds)} of {_CALLS} requests each, with {WORKERS} workers and"
        f" {user_count} users in the database"
    )
    yield f"- Load average of the last minute at the end: {os.getloadavg()[0]:.1f}"
    yield ""
    yield "| request | ms to the first byte, median | min..max | request / list | min..max | goal |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name in rounds[0]:
        middles = [median(times[name]) for times in rounds]
        ratios = [median(times[name]) / median(times[LIST]) for times in rounds]
        goal = ""
        if name in (TABLE, TRANSLATED):
            goal = verdict(median(ratios) <= _GOAL, f"{_GOAL:g} or less")
        cells = [*spread(middles, "{:.1f}".format), *spread(ratios, "{:.2f}".format)]
        yield row([name, *cells, goal])
    yield ""
    yield "| page | KB | KB, compressed with gzip | goal |"
    yield "| --- | ---: | ---: | ---: |"
    for name, page in sizes.items():
        small = len(gzip.compress(page)) / 1024
        goal = verdict(small <= _KILOBYTES, f"{_KILOBYTES} KB or less")
        yield row([name, f"{len(page) / 1024:.1f}", f"{small:.1f}", goal])


if __name__ == "__main__":
    sys.exit(main())
