"""docs/security.md names existing tests, and covers the required points."""

import ast
import csv
import re
from datetime import timedelta

from api.rate_limits import (
    CLIENT_AUTHENTICATIONS,
    EMAIL_REQUESTS,
    EMAILED_TOKENS,
    INVITATIONS,
    PASSWORDS,
    SECOND_FACTOR_CONFIRMATIONS,
    SIGN_INS,
    SIGN_UPS,
)
from models.security.password_policy import _SERVICE_WORDS
from models.services.account_emails import EMAIL_QUOTA
from models.services.passwords import EMAILS_PER_TOKEN_LIFETIME
from models.tables.login_attempts import FREE_ATTEMPTS, MAX_CONSECUTIVE_FAILURES, wait_after
from tests.support.documents import DOCS, ROOT

PAGE = (DOCS / "security.md").read_text()
# IDs and levels of ASVS 5.0.0, from 5.0/docs_en of the repository OWASP/ASVS at fe049861.
with (ROOT / "tests/support/data/asvs-5.0.0.csv").open() as file:
    STANDARD = {row["id"]: int(row["level"]) for row in csv.DictReader(file)}
STATES = ("met", "in part", "not met")
# In the order of the page.
RATE_LIMITS = (
    SIGN_INS,
    SIGN_UPS,
    PASSWORDS,
    EMAIL_REQUESTS,
    EMAILED_TOKENS,
    SECOND_FACTOR_CONFIRMATIONS,
    CLIENT_AUTHENTICATIONS,
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
    return [row for row in rows if row[-1] not in ("---", "shown by", "where", "reason")]


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


# Rows of points have five cells, those of points that do not apply two.
POINTS = [row for row in tables("OWASP ASVS 5.0") if len(row) == 5]
NOT_APPLICABLE = [row for row in tables("OWASP ASVS 5.0") if len(row) != 5]
NIST = tables("NIST SP 800-63B-4")
KNOWN = tables("Known flaws of similar systems")


class TestFigures:
    def test_what_is_counted(self):
        """The figures of the page are those of the code."""
        counted = [row[1].partition(" ")[0] for row in tables("Brute force and lockout")]
        quotas = [policy.quota for policy in RATE_LIMITS]

        per_token = EMAILS_PER_TOKEN_LIFETIME
        to_addresses = [quotas[-1], INVITATIONS.quota, quotas[-1]]
        expected = [*[FREE_ATTEMPTS] * 3, *quotas[:-1], per_token, *to_addresses, "one"]
        assert counted == [str(each) for each in expected]
        assert f"at most {MAX_CONSECUTIVE_FAILURES} consecutive failures" in PAGE

    def test_context_words(self):
        """The page lists the words that a password is not built on (ASVS 6.1.2)."""
        assert [word for word in _SERVICE_WORDS if f"`{word}`" not in PAGE] == []

    def test_growing_waits(self):
        """Waits begin and end as the page says."""
        assert (wait_after(FREE_ATTEMPTS), wait_after(MAX_CONSECUTIVE_FAILURES - 1)) == (
            timedelta(seconds=30),
            timedelta(minutes=15),
        )


class TestTables:
    def test_every_point_has_a_row(self):
        """Each requirement of levels 1 and 2 is in the tables once, or does not apply."""
        points = [row[0] for row in POINTS]
        points += [point for row in NOT_APPLICABLE for point in row[0].split(", ")]

        assert {point for point, level in STANDARD.items() if level < 3} - set(points) == set()
        assert set(points) - set(STANDARD) == set()
        assert [point for point in set(points) if points.count(point) > 1] == []

    def test_every_point_has_a_state(self):
        """A point is met, met in part or not met, and one that does not apply has a reason."""
        assert [row[0] for row in POINTS if row[2] not in STATES] == []
        assert [row[0] for row in NOT_APPLICABLE if len(row) != 2 or not row[1]] == []

    def test_met_points_name_what_shows_them(self):
        """No point is met or met in part without a test, unless there is no code to test."""
        assert [row[0] for row in POINTS if row[2] != "not met" and row[-1] == "none"] == []

    def test_unmet_points_are_listed(self):
        """Each point that is not met is among the limitations."""
        limitations = PAGE.partition("\n## Limitations\n")[2]

        unmet = [row[0] for row in POINTS if row[2] == "not met"]
        assert [point for point in unmet if not re.search(rf"\b{point}\b", limitations)] == []

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
