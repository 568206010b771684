"""docs/how-to: the session of each page is run against a service with the settings of the page."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.documents import DOCS, blocks
from tests.support.process_harness import ROSTER, ProcessHarness

INDEX = DOCS / "how-to" / "index.md"
PAGES = sorted(set(INDEX.parent.glob("*.md")) - {INDEX})
SECTIONS = [
    "Settings",
    "What users see",
    "Try it",
    "Check",
    "Costs and limits",
    "Where to go next",
]
PATIENCE = 120
# The discard port: nothing listens there.
NOWHERE = "http://127.0.0.1:9"
_OURS = ("ROSTER_", "AWS_", "DYNAMODB_")


@pytest.fixture
def harness(tmp_path: Path, transport: str) -> Iterator[ProcessHarness]:
    """Start processes in a folder with the documentation; all of them end with the test."""
    (tmp_path / "docs").symlink_to(DOCS)
    with closing(ProcessHarness(tmp_path, transport, is_covered=False)) as harness:
        yield harness


def run(script: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a folder, without other settings of the service."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    path = f"{ROSTER.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def exported(script: str, folder: Path) -> dict[str, str]:
    """Return the settings that a script exports, and the path of modules."""
    answer = run(f"{script}\nenv -0", folder)
    assert answer.returncode == 0, answer.stderr
    pairs = (line.partition("=") for line in answer.stdout.split("\0"))
    return {name: value for name, _, value in pairs if name.startswith(("ROSTER_", "PYTHONPATH"))}


class TestPage:
    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
    def test_sections(self, page):
        """A page has the same sections as all others, and what it says is checked."""
        text = page.read_text()

        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
        assert "expect" in text[text.index("## Check") : text.index("## Costs and limits")]
        assert len(blocks(page, "bash")) == text.count("```bash\n")

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
    def test_session(self, harness, page):
        """The session runs to its end on a service with the settings of the page."""
        settings, *session = blocks(page, "bash")
        service = harness.serve(**exported(settings, harness.folder))
        base = f"http://127.0.0.1:{service.port}"
        answer = run("".join(session), harness.folder, BASE=base, DATA=str(harness.data))

        assert answer.returncode == 0, answer.stdout + answer.stderr


class TestIndex:
    def test_every_page(self):
        """The index leads to each page, and to no other one of its folder."""
        linked = re.findall(r"\]\(([\w-]+\.md)\) \|$", INDEX.read_text(), re.MULTILINE)

        assert sorted(linked) == [page.name for page in PAGES]


class TestFunctions:
    @pytest.mark.parametrize(
        "script",
        [
            "expect 201 GET /health/live",
            "expect email-taken GET /health/live",
            "expect_equal 1 2",
            "echo '{}' | field missing",
        ],
    )
    def test_failure(self, tmp_path, script):
        """What is not as expected ends a session, also where there is no service."""
        (tmp_path / "docs").symlink_to(DOCS)
        answer = run(f"source docs/_scripts/how-to.sh\n{script}\necho end", tmp_path, BASE=NOWHERE)

        assert answer.returncode == 1
        assert answer.stdout == ""
