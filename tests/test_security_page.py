"""docs/security.md names existing tests, and covers the required points."""

import ast
import re
from datetime import timedelta

from api.rate_limits import (
    EMAIL_REQUESTS,
    EMAILED_TOKENS,
    PASSWORDS,
    SECOND_FACTOR_CONFIRMATIONS,
    SIGN_INS,
    SIGN_UPS,
)
from models.services.account_emails import EMAIL_QUOTA
from models.services.passwords import EMAILS_PER_TOKEN_LIFETIME
from models.tables.login_attempts import FREE_ATTEMPTS, MAX_CONSECUTIVE_FAILURES, wait_after
from tests.support.documents import DOCS, ROOT

PAGE = (DOCS / "security.md").read_text()
# The points of ASVS 5.0 that apply to a service like this one.
ASVS = set(
    re.findall(
        r"\S+",
        """
1.2.4 1.5.3 2.2.1 2.3.3 2.4.1 3.3.1 3.3.4 3.4.1 3.4.3 3.4.4 4.1.1 4.1.3 4.1.4
6.1.1 6.2.1 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12
6.3.1 6.3.2 6.3.3 6.3.4 6.3.7 6.3.8 6.4.1 6.4.2 6.4.3 6.4.6 6.5.1 6.5.2 6.5.5 6.6.2 6.6.3
7.1.1 7.1.2 7.2.1 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.5 7.5.1 7.5.2
8.2.1 8.2.2 8.2.3 8.3.1 8.3.2 11.2.4 11.4.2 11.5.1 12.2.1 13.2.6 13.3.1 13.4.2 13.4.5
14.2.1 14.3.2 15.2.2 15.3.1 15.3.3 15.3.4 15.3.5 15.4.2
16.2.1 16.2.5 16.3.1 16.3.2 16.4.1 16.5.1 16.5.2 16.5.3 16.5.4
""",
    )
)
# In the order of the page.
RATE_LIMITS = (
    SIGN_INS,
    SIGN_UPS,
    PASSWORDS,
    EMAIL_REQUESTS,
    EMAILED_TOKENS,
    SECOND_FACTOR_CONFIRMATIONS,
    EMAIL_QUOTA,
)
# What went wrong in systems like this one.
FLAWS = set(
    re.findall(
        r"\S+",
        """
CVE-2016-2513 CVE-2019-16097 CVE-2019-18818 CVE-2019-19844 CVE-2021-21241 CVE-2021-23401
CVE-2021-29621 CVE-2021-32618 CVE-2021-32838 CVE-2022-21659 CVE-2022-31177 CVE-2022-38054
CVE-2023-7028 CVE-2023-30861 CVE-2023-34110 CVE-2023-40273 CVE-2023-47111 CVE-2023-49097
CVE-2023-49438 CVE-2024-1722 CVE-2024-4629 CVE-2024-34709 CVE-2024-39329 CVE-2024-41952
CVE-2024-45042 CVE-2025-48370 CVE-2025-68481 CVE-2026-31813
GHSA-26c5-ppr8-f33p GHSA-3529-5m8x-rpv3 bcrypt
""",
    )
)
# Who names no test says so in one of these ways.
WITHOUT = ("none", "no code to test")


def tables(heading: str) -> list[list[str]]:
    """The rows of the tables under a heading, without their heads."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    rows = [line.split(" | ") for line in lines]
    return [row for row in rows if row[-1] not in ("---", "shown by", "where")]


def exists(test: str) -> bool:
    """Whether a file of tests is there, and has what the name says: `file::Class::test`."""
    path, *names = test.split("::")
    scope: list[ast.stmt] = []
    if (ROOT / path).is_file():
        scope = ast.parse((ROOT / path).read_text()).body
    for name in names:
        found = [node for node in scope if getattr(node, "name", None) == name]
        scope = getattr(found[0], "body", []) if found else []
    return scope != []


POINTS = tables("OWASP ASVS 5.0")
NIST = tables("NIST SP 800-63B-4")
KNOWN = tables("Known flaws of similar systems")


class TestFigures:
    def test_what_is_counted(self):
        """The figures of the page are those of the code."""
        counted = [row[1].partition(" ")[0] for row in tables("Brute force and lockout")]
        quotas = [policy.quota for policy in RATE_LIMITS]

        per_token = EMAILS_PER_TOKEN_LIFETIME
        expected = [*[FREE_ATTEMPTS] * 3, *quotas[:-1], per_token, quotas[-1], "one"]
        assert counted == [str(each) for each in expected]
        assert f"at most {MAX_CONSECUTIVE_FAILURES} consecutive failures" in PAGE

    def test_growing_waits(self):
        """Waits begin and end as the page says."""
        assert (wait_after(FREE_ATTEMPTS), wait_after(MAX_CONSECUTIVE_FAILURES - 1)) == (
            timedelta(seconds=30),
            timedelta(minutes=15),
        )


class TestTables:
    def test_every_point_has_a_row(self):
        """No point of ASVS that applies is left out, and each stands there once."""
        points = [row[0] for row in POINTS]

        assert ASVS - set(points) == set()
        assert len(points) == len(set(points))

    def test_every_flaw_has_a_row(self):
        """No flaw that a similar system had is left out."""
        flaws = " ".join(row[0] for row in KNOWN)

        assert [flaw for flaw in FLAWS if flaw not in flaws] == []

    def test_tests_that_are_named_exist(self):
        """A requirement that is said to be met names a test that is there."""
        named = re.findall(r"`(tests/[^`]+)`", PAGE)

        assert [name for name in named if not exists(name)] == []

    def test_every_row_says_what_shows_it(self):
        """Each row names a test, or says plainly that there is none."""
        shown = [row[-1] for row in POINTS + NIST + KNOWN]

        assert [cell for cell in shown if not cell.startswith(("`tests/", *WITHOUT))] == []
