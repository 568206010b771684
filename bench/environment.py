"""Where, when and on what the figures were taken."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench import cpu
from bench.load import Sample, find_wrk
from flask_pynamodb.local import find_binary


def command(typed: str) -> str:
    """What was run, and when."""
    return f"- Command: `{typed}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def machine() -> str:
    """The processors, the memory and the system."""
    return (
        f"- Machine: {cpu.model_name()}, {os.cpu_count()} cores, {cpu.memory_gib():.0f} GiB,"
        f" {platform.system()} {platform.release()}"
    )


def versions(packages: Sequence[str]) -> list[str]:
    """Roster, Python, some of its packages, the engine and wrk, each with its version."""
    return [
        f"Roster {version('roster')}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in packages),
        said_by(str(find_binary()), "--version"),
        said_by(find_wrk(), "-v"),
    ]


def others(samples: Sequence[Sample]) -> str:
    """How much of the machine other programs had meanwhile."""
    shares = [sample.cpu.others_share for sample in samples]
    return (
        f"- Other programs: {median(shares):.0%} of the processors' time (median of all runs), at"
        f" the worst {max(shares):.0%}; above {cpu.NOISY:.0%} the figures say little, so measure"
        " again"
    )


def said_by(program: str, option: str) -> str:
    """The first words of what a program says about its version."""
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=10)
    return " ".join((done.stdout or done.stderr).split()[:2])
