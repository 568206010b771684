"""`python -m bench.peers`: Roster beside its botocore transport, its peers and the bare engine."""

import sys
import tempfile
from pathlib import Path

from bench import command
from bench.document import Section
from bench.load import find_wrk
from bench.peers import plan, report, servers
from flask_pynamodb.local import find_binary


def main() -> int:
    """Run the comparison; the status of the process."""
    parser = command.parser("bench.peers", __doc__, rounds=5, seconds=5)
    command.add_users(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_binary()
        servers.check_installed()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            rounds = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                users=arguments.users,
                report=command.tell,
            )
        return report.render(rounds, arguments.users, command.typed("bench.peers"))

    return command.run(Section("bench.peers"), arguments.write, measure)


if __name__ == "__main__":
    sys.exit(main())
