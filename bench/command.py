"""What the commands of the benchmark share: arguments, signals, errors, and where figures go."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable

from bench.document import DOCUMENT, Section
from bench.process import CHOICES, BenchError, stop_on_signals
from flask_pynamodb.local import EngineError


def run(section: Section, does_write: bool, measure: Callable[[], str]) -> int:
    """Measure and print, and put the figures into the document if that is wanted.

    Args:
        section: Their place in the document.
        does_write: Whether it is wanted.
        measure: Returns the figures as Markdown.

    Returns:
        The status of the process.
    """
    stop_on_signals()
    try:
        if does_write:
            # Minutes of measuring must not end in a document that has no place for them.
            section.frame()
        text = measure()
        print(text)
        if does_write:
            section.write(text)
            tell(f"wrote {DOCUMENT}")
    except (BenchError, EngineError) as error:
        tell(f"bench: {error}")
        return 1
    except KeyboardInterrupt:
        tell("bench: interrupted")
        return 130
    return 0


def parser(module: str, text: str | None, *, rounds: int, seconds: int) -> argparse.ArgumentParser:
    """The arguments that every command has.

    Args:
        module: What is run by `python -m`.
        text: What it does.
        rounds: How often it measures unless told otherwise.
        seconds: How long each load lasts unless told otherwise.
    """
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=text)
    made.add_argument("--rounds", type=_positive, default=rounds, help="default: %(default)s")
    made.add_argument(
        "--seconds", type=_positive, default=seconds, help="of each load; default: %(default)s"
    )
    made.add_argument("--write", action="store_true", help="put the figures into the document")
    return made


def add_users(arguments: argparse.ArgumentParser) -> None:
    """The argument of those that measure the service."""
    arguments.add_argument(
        "--users", type=_many, default=300, help="in the store; default: %(default)s"
    )


def typed(module: str) -> str:
    """What to type to measure the same again."""
    chosen = [f"{name}={os.environ[name]}" for name in CHOICES if name in os.environ]
    return shlex.join([*chosen, "python", "-m", module, *sys.argv[1:]])


def tell(line: str) -> None:
    """Say what goes on."""
    print(line, file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _many(text: str) -> int:
    number = int(text)
    if number < 25:
        raise argparse.ArgumentTypeError("must be 25 or more: a page has 25")
    return number
