"""Writes the tables of settings into the documentation: `python docs/_scripts/write_settings.py`.

Each table stands between `<!-- settings: NAME -->` and `<!-- end of settings -->`.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from flask_pynamodb.settings import SETTINGS
from roster.config import (
    DYNAMODB_SETTINGS,
    Config,
    EmailSettings,
    LimitSettings,
    Setting,
    declared_in,
)
from roster.config.setting import as_text

_ROOT = Path(__file__).parents[2]
_ENGINE = "DYNAMODB_ENGINE"


def render(path: Path) -> str:
    """Return a page with its tables written again.

    Raises:
        KeyError: A page names a table that does not exist.
    """
    tables = {
        "service": _rows(one for one in declared_in(Config).values() if one.variable != _ENGINE),
        "limits": _rows(declared_in(LimitSettings).values()),
        "email": _rows(declared_in(EmailSettings).values()),
        "dynamodb": _rows([*DYNAMODB_SETTINGS.values(), declared_in(Config)["engine"]]),
        "extension": _extension_rows(),
    }
    return re.sub(
        r"(<!-- settings: (\w+) -->\n).*?(<!-- end of settings -->)",
        lambda found: f"{found[1]}{tables[found[2]]}{found[3]}",
        path.read_text(),
        flags=re.DOTALL,
    )


PATHS = (_ROOT / "docs" / "configuration.md", _ROOT / "flask_pynamodb" / "docs" / "settings.md")


def _rows(settings: Iterable[Setting]) -> str:
    rows = ["| variable | default | example | meaning |", "| --- | --- | --- | --- |"]
    for one in settings:
        meaning = one.meaning.format(allowed=one.parser.allowed)
        cells = (f"`{one.variable}`", _default(one), f"`{one.example}`", meaning)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _default(one: Setting) -> str:
    text = one.default_text or (f"`{value}`" if (value := as_text(one.default_value)) else "none")
    return text


def _extension_rows() -> str:
    rows = ["| key | default | meaning |", "| --- | --- | --- |"]
    for key, one in SETTINGS.items():
        default = json.dumps(one.default) if isinstance(one.default, str) else repr(one.default)
        unset = f"; `None`: {one.unset}" if one.unset else ""
        meaning = one.meaning.format(allowed=one.allowed)
        rows.append(f"| `{key}` | `{default}` | {meaning}{unset} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    for page in PATHS:
        page.write_text(render(page))
