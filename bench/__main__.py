"""`python -m bench`: measure the service, print the results, write them with --write."""

import sys
import tempfile
from pathlib import Path

from bench import plan, report
from bench.support import command
from bench.support.cores import CoreSplit
from bench.support.document import Section
from bench.support.engine import find_engine
from bench.support.load import find_wrk

SECTION = Section("bench")


def main() -> int:
    """Run the benchmark and return the exit status."""
    parser = command.create_parser("bench", __doc__, rounds=3, seconds=5)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_engine()
        CoreSplit.of_machine()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            results = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                user_count=arguments.users,
                log=command.log,
            )
        return report.render(results, command.command_line("bench"))

    return command.run(SECTION, arguments.write, measure)


if __name__ == "__main__":
    sys.exit(main())
