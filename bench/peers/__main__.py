"""`python -m bench.peers`: Roster beside its botocore transport, its peers and the bare engine."""

import sys
import tempfile
from pathlib import Path

from bench.peers import plan, report, servers
from bench.support import command
from bench.support.document import Section
from bench.support.engine import find_engine
from bench.support.load import find_wrk

SECTION = Section("bench.peers")


def main() -> int:
    """Run the comparison and return the exit status."""
    parser = command.create_parser("bench.peers", __doc__, rounds=5, seconds=5)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_engine()
        servers.check_installed()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            rounds = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                user_count=arguments.users,
                log=command.log,
            )
        return report.render(rounds, arguments.users, command.command_line("bench.peers"))

    return command.run(SECTION, arguments.write, measure)


if __name__ == "__main__":
    sys.exit(main())
