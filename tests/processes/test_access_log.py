"""The log of a service as programs read it: JSON, with a line for each response."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.process_harness import ProcessHarness, Running, wait_for

# More at once than are hashed in a second.
_CLIENTS = 200
_NUMBERS = range(_CLIENTS)


def lines_of(service: Running) -> list[dict[str, Any]]:
    """Return the lines of the access log so far."""
    lines = [json.loads(line) for line in service.said.splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "roster.access"]


def line_with(service: Running, **fields: Any) -> dict[str, Any]:
    """Return the first line that has these fields, once it is written."""
    return wait_for(
        lambda: next((line for line in lines_of(service) if fields.items() <= line.items()), None),
        f"a line has {fields}",
    )


@pytest.fixture(scope="module")
def service(tmp_path_factory, transport) -> Iterator[Running]:
    """A service with an access log of JSON, shared by the tests of this module."""
    harness = ProcessHarness(tmp_path_factory.mktemp("access"), transport)
    yield harness.serve(ROSTER_LOG_FORMAT="json", ROSTER_ACCESS_LOG="on")
    harness.close()


class TestLines:
    def test_response(self, service):
        """A response has a line with its route, its caller, its time, and what it cost."""
        token = service.token_of("jane")
        jane = service.call("GET", "/v1/users/me", token=token).body
        line = line_with(service, route="/v1/users/<id>", status=200)

        assert line["user_id"] == jane["id"]
        assert (line["database_calls"], line["consumed_units"] > 0) == (1, True)
        assert line["duration_ms"] >= line["queue_ms"] >= 0
        assert line["message"] == "request"

    def test_error(self, service):
        """The line of an error has its problem."""
        service.call("GET", "/v1/sessions")

        line = line_with(service, route="/v1/sessions", status=401)
        assert (line["problem"], line["user_id"]) == ("unauthenticated", None)

    def test_query_is_not_logged(self, service):
        """Names and addresses in a query are not in the line."""
        service.call("GET", "/v1/users?email=grace@example.com")
        line_with(service, route="/v1/users", status=401)

        assert "grace" not in service.said

    @pytest.mark.parametrize(
        ("request_of", "fields"),
        [
            (("GET", "/health/live"), {"status": 200, "route": "/health/live"}),
            (
                ("POST", "/v1/sessions", {"login": "x" * 70_000}),
                {"status": 413, "problem": "payload-too-large"},
            ),
        ],
        ids=["live", "too-large"],
    )
    def test_front(self, service, request_of, fields):
        """Responses of the front have lines, too."""
        service.call(*request_of)

        assert line_with(service, **fields)["message"] == "request"


class TestBusy:
    def test_merged(self, harness):
        """Requests that find no thread in time are one line a second, with their number."""
        service = harness.serve(
            ROSTER_QUEUE_SECONDS="1s",
            ROSTER_WORKERS="1",
            ROSTER_RATE_LIMITS="off",
            ROSTER_LOG_FORMAT="text",
        )
        with ThreadPoolExecutor(_CLIENTS) as pool:
            answers = list(pool.map(lambda number: service.sign_up(f"user-{number}"), _NUMBERS))
        rejected = [answer for answer in answers if answer.status == 503]

        assert rejected
        wait_for(lambda: _busy_in(service.said) == len(rejected), "all are in lines")


def _busy_in(said: str) -> int:
    lines = [line for line in said.splitlines() if "problem=busy lane=passwords requests=" in line]
    return sum(int(line.rpartition("=")[2]) for line in lines)
