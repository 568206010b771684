"""The format of log lines: one record is one line with any text (ASVS 16.2, 16.4.1)."""

import json
import logging
import re
import subprocess
import sys

import pytest

from models.log_fields import LogFields
from roster.observability.logs import LineFormatter, json_formatter
from tests.support.log_leaks import LeakHandler, leaks_in_output
from tests.support.person import PASSWORD

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
AMAZON_ID = f"1-{'c' * 8}-{'d' * 24}"
FORGED = "x\n2026-11-27T05:00:00.000Z WARNING roster.security rejected user=-"


@pytest.fixture
def line():
    """Return a function that formats a record."""

    def formatted(message, *args, **options):
        record = logging.LogRecord("roster", logging.WARNING, "x.py", 1, message, args, None)
        for name, value in options.items():
            setattr(record, name, value)
        return LineFormatter().format(record)

    return formatted


class TestLine:
    def test_outside_of_requests(self, line):
        """M8: a line has time, level and logger (ASVS 16.2.1, 16.2.2)."""
        assert re.fullmatch(f"{TIME} WARNING roster 7 rows remain", line("%d rows remain", 7))

    def test_of_a_request(self, app_without_tables, line):
        """M8: the line of a request has its ID, the address of the client, and the route."""
        context = app_without_tables.test_request_context(
            "/v1/users/me?x=1", headers={"X-Request-Id": "abc"}
        )
        with context:
            app_without_tables.preprocess_request()
            text = line("failed")

        assert text.endswith(
            ' failed request=abc client=127.0.0.1 route="GET /v1/users/<id>"'
        ) or text.endswith(' failed request=abc client=- route="GET /v1/users/<id>"')

    @pytest.mark.parametrize("text", [FORGED, "x\r" + FORGED, "x\u2028y", "x\x1b[2Jy", "x\x00y"])
    def test_forged(self, line, text):
        """ASVS 16.4.1: a text of a client cannot begin another line, or control a terminal."""
        formatted = line("X-Forwarded-For of %s has no address", text)

        assert formatted.isprintable()
        assert len(formatted.splitlines()) == 1

    def test_forged_in_a_stack_trace(self, line):
        """ASVS 16.4.1: the lines of a stack trace do not look like records."""
        try:
            raise ValueError(FORGED)
        except ValueError:
            formatted = line("failed", exc_info=sys.exc_info())

        _, *trace = formatted.splitlines()
        assert [each for each in trace if re.match(TIME, each)] == []
        assert all(each.startswith("    | ") for each in trace)

    def test_url_is_not_logged(self, app_without_tables, line):
        """An unknown URL is not in the line."""
        with app_without_tables.test_request_context("/unknown%0aforged"):
            assert line("failed").endswith(' route="-"')


class TestConfigure:
    def test_destination(self):
        """Warnings of the service, and sign-ins, are lines on standard error."""
        program = (
            "import logging; from roster.observability import logs; logs.configure();"
            "logging.getLogger('roster.security').info('signed in');"
            "logging.getLogger('roster.security').debug('hidden');"
            "logging.getLogger('roster.mail').info('hidden');"
            "logging.getLogger('models.x').warning('remain')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
        )
        first, second = done.stderr.splitlines()

        assert re.fullmatch(f"{TIME} INFO roster.security signed in", first)
        assert re.fullmatch(f"{TIME} WARNING models.x remain", second)
        assert done.stdout == ""


@pytest.fixture
def json_line():
    """Return a function that formats a record as JSON, and parses it."""

    def formatted(message, *args, **options):
        record = logging.LogRecord("roster", logging.WARNING, "x.py", 1, message, args, None)
        for name, value in options.items():
            setattr(record, name, value)
        text = json_formatter().format(record)
        assert len(text.splitlines()) == 1
        return json.loads(text)

    return formatted


class TestJson:
    def test_outside_of_requests(self, json_line):
        """A line has time, level, logger and message (ASVS 16.2.1, 16.2.2)."""
        line = json_line("%d rows remain", 7)

        assert re.fullmatch(TIME, line.pop("timestamp"))
        assert line == {"level": "warning", "logger": "roster", "message": "7 rows remain"}

    def test_fields(self, json_line):
        """Named values of a message are fields, with their types."""
        fields = LogFields(status=404, problem="not-found", key=None, amr=["pwd", "otp"])
        line = json_line("rejected %s", fields)

        assert line["message"] == "rejected"
        assert fields.items() <= line.items()

    @pytest.mark.parametrize(
        ("headers", "trace_id"),
        [
            ({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}, "a" * 32),
            ({"X-Amzn-Trace-Id": f"Self=1-1-2;Root={AMAZON_ID};Sampled=1"}, AMAZON_ID),
            ({"X-Amzn-Trace-Id": f"Root={AMAZON_ID}"}, AMAZON_ID),
            ({"X-Amzn-Trace-Id": f"Root={AMAZON_ID}5"}, None),
            ({"traceparent": f"00-{'a' * 31}-{'b' * 16}-01"}, None),
            ({"traceparent": "x" * 9000}, None),
            ({}, None),
        ],
    )
    def test_of_a_request(self, app_without_tables, json_line, headers, trace_id):
        """The line of a request has its ID, its trace, the route, and the caller."""
        headers = {"X-Request-Id": "abc", **headers}
        context = app_without_tables.test_request_context("/v1/users/me?x=1", headers=headers)
        with context:
            app_without_tables.preprocess_request()
            line = json_line("failed")

        assert {
            "request_id": "abc",
            "trace_id": trace_id,
            "method": "GET",
            "route": "/v1/users/<id>",
            "user_id": None,
            "key_id": None,
            "client_id": None,
        }.items() <= line.items()

    @pytest.mark.parametrize(
        "text", [FORGED, 'x","level":"info', "x\u2028y", "x\x1b[2Jy", "x\x00y", "half \ud800 pair"]
    )
    def test_forged(self, json_line, text):
        """ASVS 16.4.1: a text of a client stays inside of its string."""
        line = json_line("X-Forwarded-For of %s has no address", text)

        assert line["level"] == "warning"
        assert line.keys() == {"level", "logger", "message", "timestamp"}

    def test_stack_trace(self, json_line):
        """A stack trace is a field."""
        try:
            raise ValueError(FORGED)
        except ValueError:
            line = json_line("failed", exc_info=sys.exc_info())

        assert line["message"] == "failed"
        assert line["exception"].startswith("Traceback (most recent call last):\n")


class TestText:
    def test_fields(self, line):
        """Named values of a message are pairs; a missing one is a hyphen."""
        fields = LogFields(status=404, key=None, amr=["pwd", "otp"], others=[])

        assert line("rejected %s", fields).endswith(
            "rejected status=404 key=- amr=pwd,otp others=-"
        )


class TestLeaks:
    @pytest.mark.parametrize(
        "text",
        [
            PASSWORD,
            "rst_" + "a" * 32,
            "jane@example.com",
            "eyJhbGciOiJ9x.eyJzdWIiOiIx.c2lnbmF0dXJl",
        ],
    )
    def test_found(self, text):
        """ASVS 16.2.5: the check of all tests finds a secret or an address in a line."""
        handler = LeakHandler()
        handler.handle(logging.LogRecord("x", logging.WARNING, "x.py", 1, "a %s b", (text,), None))

        assert len(handler.found) == 2

    def test_in_output(self):
        """Of a process, log lines are checked, and not what a command prints."""
        lines = ["Password     " + PASSWORD, "2026-11-27T05:00:00.000Z INFO x jane@example.com"]

        assert leaks_in_output("\n".join(lines)) == ["jane@example.com"]
