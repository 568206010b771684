"""docs/_scripts/newcomer.md: every command is run, and shows its answer."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import PROJECT, ProcessHarness

PAGE = PROJECT / "docs" / "_scripts" / "newcomer.md"
TEXT = PAGE.read_text()
SESSION = re.search(r"^```bash\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)[1]  # type: ignore[index]
QUESTION = re.compile(
    r"^## (\d+\. [^\n]+)\n\n```bash\n(.*?)^```\n\n```text\n(.*?)\n```", re.DOTALL | re.MULTILINE
)
QUESTIONS = {title: (command, answer) for title, command, answer in QUESTION.findall(TEXT)}
LINKS = dict(re.findall(r"^## (\d+\. .+)\n\n\[.+?\]\((.+?)(?:#.*)?\)$", TEXT, re.MULTILINE))


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Iterator[str]:
    """The address of a service with demo users."""
    harness = ProcessHarness(tmp_path_factory.mktemp("newcomer"), is_covered=False)
    yield f"http://127.0.0.1:{harness.serve().port}"
    harness.close()


def run(script: str, folder: Path, **environment: str) -> str:
    """Run a script in an empty folder without settings, and return its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
    finished = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, "HOME": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    return finished.stdout


def test_every_question_has_an_answer():
    """There are at least 40 questions, each with a command or a link."""
    titles = re.findall(r"^## (\d+\. .+)$", TEXT, re.MULTILINE)

    assert len(titles) >= 40
    assert set(titles) == QUESTIONS.keys() | LINKS.keys()
    assert [int(title.partition(".")[0]) for title in titles] == list(range(1, len(titles) + 1))


@pytest.mark.parametrize("question", QUESTIONS)
def test_command(base, tmp_path, question):
    """The command shows the answer."""
    command, answer = QUESTIONS[question]
    begins = "" if "roster" in command else SESSION

    assert answer in run(f"{begins}{command}", tmp_path, BASE=base)


@pytest.mark.parametrize("question", LINKS)
def test_link(question):
    """The page exists."""
    assert (PAGE.parent / LINKS[question]).is_file()
