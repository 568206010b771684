"""Run the console script in a fork of a process that has imported it.

Imports take half a second of each start. A server process of multiprocessing has done them, and
every command is a fork of it, with its own environment, folder, output and exit status.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import roster.cli

for _command in roster.cli.cli.lazy.values():
    _command.load()
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Path,
    patience: float,
) -> int:
    """Run `roster` with arguments to its end, and return its exit status.

    Args:
        arguments: The command-line arguments.
        folder: The current folder of the process.
        environment: Its complete environment.
        output: The file for its output.
        patience: Seconds after which it is killed.
    """
    parameters = (list(arguments), str(folder), dict(environment), str(output))
    process = _context.Process(target=_run, args=parameters)
    process.start()
    process.join(patience)
    if process.exitcode is None:
        process.kill()
        process.join()
    assert process.exitcode is not None
    return process.exitcode


def _run(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    out = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), out, out)):
        os.dup2(descriptor, number)
    sys.argv = ["roster", *arguments]
    roster.cli.main()
