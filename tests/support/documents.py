"""Pages of the documentation, as tests read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def rows(page: Path) -> list[list[str]]:
    """The cells of every table row that begins with code."""
    lines = (line for line in page.read_text().splitlines() if line.startswith("| `"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code(cell: str) -> str | None:
    """What a cell holds if that is code and nothing else."""
    found = re.fullmatch(r"`([^`]*)`", cell)
    return found and found[1]
