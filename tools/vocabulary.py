"""Check the language of comments, docstrings and documentation: `python tools/vocabulary.py`.

Prints each idiom that a reader has to stop at, and fails above a share of the comments and
docstrings of a package, or above a rate per thousand words of the documentation.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MAX_SHARE = 0.02  # of the comments and docstrings of a package
MAX_RATE = 1.0  # per thousand words of the documentation
# Data of an earlier release, its history, and the license of a package.
EXCLUDED = ("tests/support/data/", "CHANGELOG.md", "web/static/pico/")

_IDIOMS = (
    r"whoever",
    r"whomever",
    r"whom",
    r"nobody",
    r"somebody",
    r"anybody",
    r"anew",
    r"alike",
    r"in vain",
    r"of late",
    r"at the (?:most|least)",
    r"once more",
    r"in the meantime",
    r"whatever its",
    r"one's own",
    r"who (?:asks|has|have|comes|came|holds|looks|changes|wants|signs|guesses|sends|types|knows)",
    r"who (?:waits|reads|registers|lacks)",
    r"what is (?:left|stored|wrong|asked|said|sent|there|due)",
    r"what it (?:is|has|was)",
    r"what they",
    r"what comes",
    r"(?:is|are) told",
    r"goes? on",
    r"sent (?:away|home)",
    r"has begun",
    r"made out",
    r"too dear",
    r"for ever",
    r"e-mails?",
)
IDIOM = re.compile(rf"\b(?:{'|'.join(_IDIOMS)})\b", re.IGNORECASE)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Return the comments and docstrings of a Python file with their lines."""
    source = path.read_text()
    start, lines = 0, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            start = start or token.start[0]
            lines.append(token.string.lstrip("# "))
        elif lines and token.type not in (tokenize.NL, tokenize.NEWLINE):
            yield start, " ".join(lines)
            start, lines = 0, []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if docstring := ast.get_docstring(node):
            yield getattr(node, "lineno", 1), docstring


def check_code(paths: list[Path]) -> list[str]:
    """Return one line for each package with too many idioms; print each idiom."""
    total, hits = Counter[str](), Counter[str]()
    for path in paths:
        package = path.parts[0]
        for line, text in texts(path):
            total[package] += 1
            if found := IDIOM.search(text):
                hits[package] += 1
                print(f"{path}:{line}: {found[0]!r}")
    return [
        f"{package}: {hits[package]} of {total[package]} comments and docstrings have idioms"
        for package in total
        if hits[package] > MAX_SHARE * total[package]
    ]


def check_pages(paths: list[Path]) -> list[str]:
    """Return one line if the documentation has too many idioms; print each idiom."""
    words = hits = 0
    for path in paths:
        # Without code blocks, but with their line breaks for the line numbers.
        prose = re.sub(
            r"^```.*?^```",
            lambda block: "\n" * block[0].count("\n"),
            path.read_text(),
            flags=re.M | re.S,
        )
        words += len(prose.split())
        for number, line in enumerate(prose.splitlines(), 1):
            for found in IDIOM.finditer(line):
                hits += 1
                print(f"{path}:{number}: {found[0]!r}")
    rate = 1000 * hits / max(words, 1)
    return [f"documentation: {rate:.1f} idioms per thousand words"] if rate > MAX_RATE else []


def tracked(*patterns: str) -> list[Path]:
    """Return the files in the repository that match the patterns."""
    listed = subprocess.run(
        ["git", "ls-files", *patterns], capture_output=True, text=True, check=True
    )
    names = (name for name in listed.stdout.splitlines() if not name.startswith(EXCLUDED))
    return [path for path in map(Path, names) if path.is_file()]


def main() -> None:
    """Check all files; exit with status 1 if there are too many idioms."""
    errors = check_code(tracked("*.py")) + check_pages(tracked("*.md"))
    sys.exit("\n".join(errors) or None)


if __name__ == "__main__":
    main()
