"""Writes the tables of docs/costs.md: `python docs/_scripts/write_costs.py`.

Prices, item sizes and the example are in prices.json; reads and writes of each call are those of
docs/operations.md, which a test measures.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

_DOCS = Path(__file__).parents[1]
PATH = _DOCS / "costs.md"
_INPUT = json.loads(Path(__file__).with_name("prices.json").read_text())
_PRICES = _INPUT["dollars"]
_ACTIVE = 100_000
_STORED = 1_000_000
# Calls whose price people ask for; the rest is in docs/operations.md.
_CALLS = (
    ("POST /v1/users", "by anyone"),
    ("POST /v1/sessions", "signed in"),
    ("POST /v1/sessions", "signed in, on a known device"),
    ("POST /v1/sessions", "rejected, wrong password"),
    ("GET /v1/users/{id}", "own account"),
    ("POST /oauth/introspect", "a session"),
    ("GET /v1/verify", ""),
    ("PATCH /v1/users/{id}", "own account"),
    ("POST /v1/password-resets", "known address"),
    ("DELETE /v1/sessions/current", ""),
)


def render() -> str:
    """Return the page with its tables written again."""
    tables = {"prices": _prices, "calls": _calls, "storage": _storage, "month": _month}
    return re.sub(
        r"(<!-- costs: (\w+) -->\n).*?(<!-- end of costs -->)",
        lambda found: f"{found[1]}\n{tables[found[2]]()}\n{found[3]}",
        PATH.read_text(),
        flags=re.DOTALL,
    )


def stored_bytes() -> dict[str, int]:
    """Return the bytes of a user in each table, with copies in indexes and DynamoDB's overhead."""
    sizes, overhead = _INPUT["item_bytes"], _INPUT["overhead_bytes"]
    return {
        table: one["items"] * one["copies"] * (sizes[table] + overhead)
        for table, one in _INPUT["stored_user"].items()
    }


def _units() -> dict[tuple[str, str], tuple[float, float]]:
    """Return the read and write units of each case of each route."""
    rows = re.findall(
        r"^\| `([A-Z]+ \S+)` \| (.*?) ?\| [\d.]+ \| ([\d.]+) \| ([\d.]+) \|$",
        (_DOCS / "operations.md").read_text(),
        re.MULTILINE,
    )
    return {(route, case): (float(reads), float(writes)) for route, case, reads, writes in rows}


def _price(reads: float, writes: float) -> float:
    """Return the dollars of a million such calls."""
    price: float = reads * _PRICES["million_read_units"] + writes * _PRICES["million_write_units"]
    return price


def _prices() -> str:
    rows = [
        ("a million write units", "million_write_units"),
        ("a million read units", "million_read_units"),
        (f"a GB stored for a month, after {_INPUT['free_stored_gb']} GB", "stored_gb_month"),
        ("a GB with point-in-time recovery for a month", "recovery_gb_month"),
        ("a GB of backups on demand for a month", "backup_gb_month"),
        ("a GB restored", "restored_gb"),
        ("a GB exported to S3", "exported_gb"),
    ]
    return _table(
        ("what", "price"),
        [(what, _exact(_PRICES[price])) for what, price in rows],
    )


def _calls() -> str:
    units = _units()
    return _table(
        ("a million of", "case", "read units", "write units", "price"),
        [
            (f"`{call[0]}`", call[1], *map(_number, units[call]), _dollars(_price(*units[call])))
            for call in _CALLS
        ],
    )


def _storage() -> str:
    rows = []
    total = 0.0
    for table, size in stored_bytes().items():
        one = _INPUT["stored_user"][table]
        gigabytes = size * _STORED / 1e9
        total += gigabytes
        what = f"{one['items']} items" if one["items"] > 1 else "1 item"
        what += ", copied in an index" * (one["copies"] > 1)
        rows.append((f"`{table}`", what, f"{size:,}", f"{gigabytes:.1f} GB"))
    rows.append(("together", "", f"{sum(stored_bytes().values()):,}", f"{total:.1f} GB"))
    paid = max(total - _INPUT["free_stored_gb"], 0)
    kept = _recovered()
    lines = [
        _table(("table", "of each user", "bytes", "a million users"), rows),
        "",
        f"- Stored: {_dollars(paid * _PRICES['stored_gb_month'])} a month with the free"
        f" {_INPUT['free_stored_gb']} GB, {_dollars(total * _PRICES['stored_gb_month'])} if other"
        " tables of the account use these.",
        f"- Point-in-time recovery: {_dollars(kept * _PRICES['recovery_gb_month'])} a month.",
        f"- A backup on demand: {_dollars(kept * _PRICES['backup_gb_month'])} for each month that"
        " it is kept.",
        f"- A restore: {_dollars(kept * _PRICES['restored_gb'])}.",
    ]
    return "\n".join(lines)


def _recovered() -> float:
    """Return the gigabytes of the tables that are backed up."""
    sizes = stored_bytes()
    return (
        sum(sizes[name] for name in sizes.keys() - {"sessions", "devices", "search_terms"})
        * _STORED
        / 1e9
    )


def _month() -> str:
    units = _units()
    rows, total = [], 0.0
    for one in _INPUT["month"]:
        each = units[one["route"], one["case"]] if "route" in one else (one["reads"], one["writes"])
        calls = one["per_active_user"] * _ACTIVE
        price = _price(*each) * calls / 1e6
        total += price
        call = f"`{one['route']}`" if "route" in one else ""
        rows.append((one["what"], call, f"{calls:,.0f}", *map(_number, each), _dollars(price)))
    rows.append(("together", "", "", "", "", _dollars(total)))
    return _table(("what", "call", "calls", "reads each", "writes each", "price"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", line) for line in lines)


def _number(units: float) -> str:
    return f"{units:g}"


def _dollars(amount: float) -> str:
    # Half a cent is rounded up, however it is stored.
    return f"${amount + 1e-9:,.2f}"


def _exact(price: float) -> str:
    return f"${price:.3f}".removesuffix("0")


if __name__ == "__main__":
    PATH.write_text(render())
