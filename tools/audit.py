"""Look up the pinned dependencies in the databases of known vulnerabilities: `make audit`.

Exits with 1 if there is a vulnerability, if a database that responds does not know a package, or
if an audit fails. Where a database cannot be reached, says so and passes, unless
--require-databases is given.
"""

import argparse
import json
import re
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Errors of the network, and statuses of a server that has no such database.
_UNREACHABLE = re.compile(
    r"connect|resolve|network|timed? ?out|ENOTFOUND|ECONN|EAI_AGAIN|\b[45]\d\d\b", re.IGNORECASE
)


class Result(Enum):
    """The result of an audit."""

    CLEAN = "no known vulnerabilities"
    VULNERABLE = "VULNERABLE"
    UNREACHABLE = "NOT AUDITED: the database cannot be reached"
    FAILED = "FAILED: there is no report"


def audit_python(pip_audit: str, requirements: Path) -> tuple[Result, list[str]]:
    """Return the result for a requirements file, and the findings."""
    command = [pip_audit, "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    report, reason = _report_of([*command, "--format", "json", "-r", str(requirements)])
    if report is None:
        return _without_report(reason)
    packages = report["dependencies"]
    skipped = [package for package in packages if "skip_reason" in package]
    # A database without any of the packages, such as a mirror's, is none of vulnerabilities.
    if len(skipped) == len(packages):
        return Result.UNREACHABLE, [skipped[0]["skip_reason"] if skipped else "no packages"]
    findings = [package["skip_reason"] for package in skipped]
    findings += [
        f"{package['name']} {package['version']}: {vulnerability['id']}"
        for package in packages
        for vulnerability in package.get("vulns", ())
    ]
    return (Result.VULNERABLE if findings else Result.CLEAN), findings


def audit_npm(npm: str, folder: Path) -> tuple[Result, list[str]]:
    """Return the result for the package-lock.json of a folder, and the findings."""
    command = [npm, "audit", "--package-lock-only", "--json", "--prefix", str(folder)]
    report, reason = _report_of(command)
    if report is None or "auditReportVersion" not in report:
        return _without_report((report or {}).get("message", reason))
    findings = [
        f"{name}: {vulnerability['severity']}, in {vulnerability['range']}"
        for name, vulnerability in report["vulnerabilities"].items()
    ]
    return (Result.VULNERABLE if findings else Result.CLEAN), findings


def _without_report(reason: str) -> tuple[Result, list[str]]:
    return (Result.UNREACHABLE if _UNREACHABLE.search(reason) else Result.FAILED), [reason]


def _report_of(command: list[str]) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON that a command prints, or None, and its last line of errors."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return None, f"{command[0]}: {error.strerror}"
    reason = (finished.stderr.strip().splitlines() or ["no output"])[-1]
    try:
        report = json.loads(finished.stdout)
    except ValueError:
        return None, reason
    return (report if isinstance(report, dict) else None), reason


def main() -> int:
    """Audit all requirements files and all npm packages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pip-audit", default="pip-audit")
    parser.add_argument("--npm", default="npm")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--require-databases", action="store_true")
    options = parser.parse_args()
    results = []
    for requirements in sorted(options.root.glob("requirements/*.txt")):
        results.append((requirements, audit_python(options.pip_audit, requirements)))
    for lock in sorted(options.root.glob("t*/*/package-lock.json")):
        results.append((lock, audit_npm(options.npm, lock.parent)))
    for path, (result, details) in results:
        print(f"{path.relative_to(options.root)}: {result.value}")
        for detail in details:
            print(f"  {detail}")
    failures = {Result.VULNERABLE, Result.FAILED}
    if options.require_databases:
        failures.add(Result.UNREACHABLE)
    return int(any(result in failures for _, (result, _) in results))


if __name__ == "__main__":
    sys.exit(main())
