"""`python -m bench`: measure, print, and with --write put the figures into the document."""

import sys
import tempfile
from pathlib import Path

from bench import command, plan, report
from bench.cores import Split
from bench.document import Section
from bench.load import find_wrk
from flask_pynamodb.local import find_binary


def main() -> int:
    """Run the benchmark; the status of the process."""
    parser = command.parser("bench", __doc__, rounds=3, seconds=5)
    command.add_users(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        find_wrk()
        find_binary()
        Split.of_machine()
        with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
            figures = plan.measure(
                Path(folder),
                rounds=arguments.rounds,
                seconds=arguments.seconds,
                users=arguments.users,
                report=command.tell,
            )
        return report.render(figures, command.typed("bench"))

    return command.run(Section("bench"), arguments.write, measure)


if __name__ == "__main__":
    sys.exit(main())
