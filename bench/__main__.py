"""`python -m bench`: measure, print, and with --write put the figures into the document."""

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path

from bench import plan, report
from bench.load import find_wrk
from bench.process import CHOICES, BenchError, stop_on_signals
from flask_pynamodb.local import EngineError, find_binary


def main() -> int:
    """Run the benchmark; the status of the process."""
    arguments = _arguments()
    stop_on_signals()
    try:
        find_wrk()
        find_binary()
        if arguments.write:
            report.frame()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            figures = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                users=arguments.users,
                report=_tell,
            )
        text = report.render(figures, _command())
        print(text)
        if arguments.write:
            report.write(text)
            _tell(f"wrote {report.DOCUMENT}")
    except (BenchError, EngineError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    return 0


def _command() -> str:
    """What to type to measure the same again."""
    chosen = [f"{name}={os.environ[name]}" for name in CHOICES if name in os.environ]
    return shlex.join([*chosen, "python", "-m", "bench", *sys.argv[1:]])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=_positive, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=_positive, default=5, help="of each load; %(default)s")
    parser.add_argument("--users", type=_many, default=300, help="in the store; %(default)s")
    parser.add_argument("--write", action="store_true", help="put the figures into the document")
    return parser.parse_args()


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


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
