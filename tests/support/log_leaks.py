"""Secrets and personal data that no log line may have, whatever a test does."""

import logging
import re
from collections.abc import Iterator

import pytest

from roster.observability.logs import LineFormatter, json_formatter
from tests.support.person import PASSWORD
from tests.support.responses import NEW_PASSWORD

_DEMO_PASSWORD = "correct horse battery staple"
# Passwords of the suite, tokens by their prefixes (those of tests begin like real ones), and email
# addresses. Access tokens are three parts of base64url.
_LEAK = re.compile(
    "|".join(map(re.escape, (PASSWORD, NEW_PASSWORD, _DEMO_PASSWORD)))
    + r"|\br(?:st|sk|sc|dv|so|oi)_[A-Za-z0-9_-]{16,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
# As the first characters of a line of the log.
_RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z |\{\"|    \| ")


def leaks_in(text: str) -> list[str]:
    """Return secrets and addresses in text."""
    return _LEAK.findall(text)


def leaks_in_output(output: str) -> list[str]:
    """Return secrets and addresses in the log lines of a process; other lines may have some."""
    lines = [line for line in output.splitlines() if _RECORD.match(line)]
    return leaks_in("\n".join(lines))


class LeakHandler(logging.Handler):
    """Finds leaks in each record of this process, in both formats.

    Attributes:
        found: The lines with a leak.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._formatters = (LineFormatter(), json_formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record as the service does, and keep what leaks."""
        # Records of the libraries below WARNING are not written.
        if record.levelno >= logging.WARNING or record.name.startswith("roster."):
            lines = [formatter.format(record) for formatter in self._formatters]
            self.found += filter(leaks_in, lines)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test whose log lines have a password, a token or an address (ASVS 16.2.5)."""
    handler = LeakHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    assert handler.found == []
