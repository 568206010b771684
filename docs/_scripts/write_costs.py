"""Write the tables of docs/costs.md from the prices and the units of docs/operations.md.

`python docs/_scripts/write_costs.py`. The prices are a dated input, docs/_scripts/prices.json.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[1]
PATH = DOCS / "costs.md"
PRICES = json.loads((Path(__file__).parent / "prices.json").read_text())
_ROW = re.compile(r"^\| `([^`]+)` \|(.*?)\| [\d.]+ \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
UNITS = {
    (route, case.strip()): (float(reads), float(writes))
    for route, case, reads, writes in _ROW.findall((DOCS / "operations.md").read_text())
}
_MILLION = [
    ("sign-ins", ("POST /v1/sessions", "signed in")),
    ("sign-ins with a second factor", ("POST /v1/sessions", "with a code of the second factor")),
    ("rejected sign-ins", ("POST /v1/sessions", "rejected, wrong password")),
    ("sign-ups", ("POST /v1/users", "by anyone")),
    ("requests for one's own account", ("GET /v1/users/{id}", "own account")),
    ("introspections of a session", ("POST /oauth/introspect", "a session")),
    ("verified requests of a gateway", ("GET /v1/verify", "")),
]
# A month of 100,000 active users.
_MONTH = [
    ("sign-ins, 4 for each user", 400_000, ("POST /v1/sessions", "signed in")),
    ("sign-ups", 5_000, ("POST /v1/users", "by anyone")),
    (
        "requests that a service verifies, 300 for each user, each third one not cached",
        10_000_000,
        ("POST /oauth/introspect", "a session"),
    ),
]


def dollars(row: tuple[str, str], count: int) -> float:
    """Return the price of so many calls of a row of docs/operations.md."""
    reads, writes = UNITS[row]
    price = reads * PRICES["dollars_per_million_reads"]
    return count / 1e6 * (price + writes * PRICES["dollars_per_million_writes"])


def storage(users: int) -> float:
    """Return the price of a month of stored users."""
    return users * PRICES["bytes_per_user"] / 1e9 * float(PRICES["dollars_per_gb_month"])


def render(text: str) -> str:
    """Return the page with current tables."""
    for name, lines in {"million": _million(), "month": _month()}.items():
        marks = f"<!-- {name} -->\n", "<!-- end -->"
        before, _, rest = text.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        text = before + marks[0] + "\n".join(lines) + "\n" + marks[1] + after
    return text


def _million() -> list[str]:
    lines = ["| a million | reads | writes | dollars |", "| --- | --- | --- | --- |"]
    for name, row in _MILLION:
        reads, writes = UNITS[row]
        lines.append(f"| {name} | {reads:g} each | {writes:g} each | {dollars(row, 10**6):.2f} |")
    return [*lines, f"| stored users, a month | | | {storage(10**6):.2f} |"]


def _month() -> list[str]:
    lines = ["| what | number | dollars |", "| --- | --- | --- |"]
    total = storage(100_000)
    for name, count, row in _MONTH:
        total += dollars(row, count)
        lines.append(f"| {name} | {count:,} | {dollars(row, count):.2f} |")
    lines.append(f"| stored users | 100,000 | {storage(100_000):.2f} |")
    return [*lines, f"| together | | {total:.2f} |"]


if __name__ == "__main__":
    PATH.write_text(render(PATH.read_text()))
