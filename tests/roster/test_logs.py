"""The format of log lines: one record is one line with any text (ASVS 16.2, 16.4.1)."""

import logging
import re
import subprocess
import sys

import pytest

from roster.observability.logs import LineFormatter

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
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
