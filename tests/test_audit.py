"""`make audit`: vulnerabilities fail it, a database that cannot be reached does not."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = {"dependencies": [{"name": "flask", "version": "3.1.3", "vulns": []}]}
VULNERABLE = {
    "dependencies": [{"name": "flask", "version": "3.1.3", "vulns": [{"id": "PYSEC-2026-1"}]}]
}
UNKNOWN = {"name": "flask", "skip_reason": "Dependency not found: flask (3.1.3)"}
NPM_CLEAN = {"auditReportVersion": 2, "vulnerabilities": {}}
NPM_VULNERABLE = {
    "auditReportVersion": 2,
    "vulnerabilities": {"swagger-ui-dist": {"severity": "high", "range": "<5.36.0"}},
}
NPM_UNREACHABLE = {"message": "405 Method Not Allowed", "statusCode": 405}

Audit = Callable[..., tuple[int, str]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Run the audit with tools that print these reports; None for an error of the network."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/run.txt").touch()
    (tmp_path / "tools/page").mkdir(parents=True)
    (tmp_path / "tools/page/package-lock.json").touch()

    def tool(name: str, report: Any) -> str:
        path = tmp_path / name
        error = "Failed to connect to the server" if report is None else report
        if not isinstance(report, dict):
            path.write_text(f"#!/bin/sh\necho '{error}' >&2\nexit 1\n")
        else:
            path.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(report)}\nEND\nexit 1\n")
        path.chmod(0o755)
        return str(path)

    def run(*options: str, python: Any = CLEAN, npm: Any = NPM_CLEAN) -> tuple[int, str]:
        command = [sys.executable, str(ROOT / "tools/audit.py"), "--root", str(tmp_path)]
        command += ["--pip-audit", tool("pip-audit", python), "--npm", tool("npm", npm)]
        command += options
        finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert finished.stderr == ""
        return finished.returncode, finished.stdout

    return run


def test_no_vulnerabilities(audit: Audit):
    """A report without vulnerabilities passes."""
    status, said = audit("--require-databases")

    assert status == 0
    assert said.count("no known vulnerabilities") == 2


@pytest.mark.parametrize(
    ("reports", "finding"),
    [
        ({"python": VULNERABLE}, "flask 3.1.3: PYSEC-2026-1"),
        ({"npm": NPM_VULNERABLE}, "swagger-ui-dist: high, in <5.36.0"),
    ],
)
def test_vulnerability(audit: Audit, reports: dict[str, Any], finding: str):
    """A vulnerability fails the audit, also if the other database is unreachable."""
    other: dict[str, Any] = {"npm": None} if "python" in reports else {"python": None}
    status, said = audit(**reports, **other)

    assert status == 1
    assert finding in said


def test_one_unknown_package(audit: Audit):
    """A database that knows others but not one package has not audited it: that fails."""
    both = {"dependencies": [*CLEAN["dependencies"], UNKNOWN]}
    status, said = audit(python=both)

    assert status == 1
    assert UNKNOWN["skip_reason"] in said


@pytest.mark.parametrize(
    "reports",
    [
        {"python": None},
        {"python": {"dependencies": [UNKNOWN]}},
        {"npm": None},
        {"npm": NPM_UNREACHABLE},
    ],
)
def test_unreachable(audit: Audit, reports: dict[str, Any]):
    """Without a database the audit says plainly that there was none, and passes unless required."""
    status, said = audit(**reports)

    assert status == 0
    assert "NOT AUDITED: the database cannot be reached" in said
    assert audit("--require-databases", **reports)[0] == 1


def test_tool_is_missing(audit: Audit):
    """A missing tool fails the audit with a line that names it."""
    status, said = audit("--npm", "/nonexistent/npm")

    assert status == 1
    assert "/nonexistent/npm: No such file or directory" in said


def test_tool_fails(audit: Audit):
    """A tool that fails for another reason is no unreachable database."""
    status, said = audit(python="hashes do not match")

    assert status == 1
    assert "FAILED" in said
