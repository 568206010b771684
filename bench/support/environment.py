"""Describes the run: command, time, machine, versions, load by other programs."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench.support import cpu
from bench.support.engine import find_engine
from bench.support.load import Sample, find_wrk


def command(command_line: str) -> str:
    """Return the command and the time of the run."""
    return f"- Command: `{command_line}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"


def machine() -> str:
    """Return the processor, the memory and the operating system."""
    return (
        f"- Machine: {cpu.model_name()}, {os.cpu_count()} cores, {cpu.memory_gib():.0f} GiB,"
        f" {platform.system()} {platform.release()}"
    )


def versions(packages: Sequence[str]) -> list[str]:
    """Return Roster, Python, the packages, the engine and wrk, each with its version."""
    return [
        f"Roster {version('roster')}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in packages),
        program_version(str(find_engine()), "--version"),
        program_version(find_wrk(), "-v"),
    ]


def others(samples: Sequence[Sample]) -> str:
    """Return the share of processor time that other programs used."""
    shares = [sample.cpu.others_share for sample in samples]
    return (
        f"- Other programs: {median(shares):.0%} of the processor time (median of all runs),"
        f" {max(shares):.0%} at most; above {cpu.NOISY:.0%} the figures are unreliable and should"
        " be measured again"
    )


def program_version(program: str, option: str) -> str:
    """Return the first two words of a program's version output."""
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=10)
    return " ".join((done.stdout or done.stderr).split()[:2])
