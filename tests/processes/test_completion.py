"""The completion of commands in bash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

IS_COVERED = False
SCRIPT = """
source <(roster completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_roster_completion roster
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("roster users cre", {"create", "create-admin"}),
        ("roster users list --st", {"--status"}),
        ("roster users list --status s", {"suspended"}),
    ],
)
def test_bash(words, expected):
    """Commands, options and values are completed, without any setting."""
    folder = str(Path(sys.executable).parent)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    finished = subprocess.run(
        ["bash", "-c", SCRIPT.format(words=words)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert set(finished.stdout.split()) == expected, finished.stderr
