"""`python -m bench.front`: the front of the service with many, slow and simultaneous clients.

The event loop of each worker reads whole requests, and threads serve them. Each round measures the
latency of reads, sign-ups that arrive at once, connections that never complete a body, a database
that responds late, and the memory of the workers.
"""

import sys
import tempfile
from pathlib import Path

from bench.front import clients, plan, report
from bench.support import command
from bench.support.document import Section
from bench.support.engine import find_engine
from bench.support.load import find_wrk

SECTION = Section("bench.front")


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.front", __doc__, rounds=3, seconds=5)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_engine()
        clients.raise_file_limit()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            rounds = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                user_count=arguments.users,
            )
        return report.render(rounds, arguments.users, command.command_line("bench.front"))

    return command.run(SECTION, arguments.write, measure)


if __name__ == "__main__":
    sys.exit(main())
