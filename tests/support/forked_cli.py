"""Plays the console script in a process of its own that need not import it first.

Half a second of each start is imports. A server, started once by multiprocessing, has done them,
and every understudy is a fork of it: with its own environment, folder, output and exit status.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import roster.cli

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def play(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Path,
    patience: float,
) -> int:
    """Run `roster` with some arguments to its end; its exit status.

    Args:
        arguments: What follows the name of the script.
        folder: The current folder of the process.
        environment: All of its environment.
        output: The file that takes what it says.
        patience: Seconds after which it is killed.
    """
    role = (list(arguments), str(folder), dict(environment), str(output))
    process = _context.Process(target=_perform, args=role)
    process.start()
    process.join(patience)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def _perform(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), said, said)):
        os.dup2(descriptor, number)
    sys.argv = ["roster", *arguments]
    roster.cli.main()
