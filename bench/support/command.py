"""Arguments, signals, errors and output that all benchmark commands share."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable

from bench.support.document import Section
from bench.support.process import INHERITED, BenchError, stop_on_signals
from flask_pynamodb.local import EngineError


def run(section: Section, does_write: bool, measure: Callable[[], str]) -> int:
    """Measure, print the results and, if requested, write them into the document.

    Args:
        section: The part of the document that the results replace.
        does_write: Whether to write them.
        measure: Returns the results as Markdown.

    Returns:
        The exit status of the process.
    """
    stop_on_signals()
    try:
        if does_write:
            # Fail before minutes of measuring, not after, if the document lacks the section.
            section.split_document()
        text = measure()
        print(text)
        if does_write:
            section.write(text)
            log(f"wrote {section.document}")
    except (BenchError, EngineError) as error:
        log(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        log("bench: interrupted")
        return 130
    return 0


def create_parser(
    module: str, description: str | None, *, rounds: int, seconds: int
) -> argparse.ArgumentParser:
    """Create a parser for the arguments that every command has.

    Args:
        module: The module that `python -m` runs.
        description: What the command does.
        rounds: The default number of rounds.
        seconds: The default duration of each load.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--rounds", type=_positive, default=rounds, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=_positive, default=seconds, help="of each load; default: %(default)s"
    )
    parser.add_argument("--write", action="store_true", help="write the results to the document")
    return parser


def add_users_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument of the commands that measure the service."""
    parser.add_argument(
        "--users", type=_at_least_a_page, default=300, help="in the database; default: %(default)s"
    )


def command_line(module: str) -> str:
    """Return the command line that repeats this run."""
    inherited = [f"{name}={os.environ[name]}" for name in INHERITED if name in os.environ]
    return shlex.join([*inherited, "python", "-m", module, *sys.argv[1:]])


def log(line: str) -> None:
    """Print a line about the progress to standard error."""
    print(line, file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _at_least_a_page(text: str) -> int:
    number = int(text)
    if number < 25:
        raise argparse.ArgumentTypeError("must be 25 or more: a page has 25")
    return number
