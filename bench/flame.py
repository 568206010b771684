"""`python -m bench.flame`: a flame graph of a worker that serves `GET /v1/users/{id}`.

py-spy, which has to be installed (`pip install py-spy`), samples a worker 400 times a second while
it holds the interpreter lock, so the graph shows Python and not waiting. --write puts the graph
into the documentation, without the script and the title that py-spy adds.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import plan
from bench.support import command, cpu, service
from bench.support.engine import find_engine
from bench.support.load import Load, run
from bench.support.process import BenchError, stop_on_signals
from bench.support.users import create_users
from flask_pynamodb.local import EngineError

GRAPH = Path(__file__).parents[1] / "docs" / "images" / "flame-read.svg"
_USER_COUNT = 25
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
_TITLE = re.compile(r'(<text id="title"[^>]*>)[^<]*')
_BUTTONS = re.compile(r'<text id="(?:unzoom|search|matched)"[^>]*>[^<]*</text>')


def main() -> int:
    """Record the graph and return the exit status."""
    arguments = command.create_parser("bench.flame", __doc__, rounds=1, seconds=10).parse_args()
    stop_on_signals()
    try:
        graph = _record(arguments.seconds)
    except (BenchError, EngineError) as error:
        command.log(f"bench: {error}")
        return 1
    if arguments.write:
        GRAPH.write_text(graph)
        command.log(f"wrote {GRAPH}")
    return 0


def _record(seconds: int) -> str:
    program = shutil.which("py-spy")
    if program is None:
        raise BenchError("py-spy is not installed: run `pip install py-spy`.")
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
        raw = Path(folder) / "flame.svg"
        with service.roster(Path(folder) / "store") as roster:
            load = plan.read_load(roster, create_users(roster, _USER_COUNT))
            connections = plan.CONNECTIONS[plan.READ]
            run(load, connections, 1)
            options = ("record", "--gil", "--function", "--rate", "400", "--duration", str(seconds))
            recorder = subprocess.Popen(
                [program, *options, "--output", str(raw), "--pid", str(_worker(roster))],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _load_while(recorder, load, connections, seconds)
        if not raw.exists():
            raise BenchError("py-spy could not read the worker; it may need more privileges.")
        return _strip(raw.read_text())


def _worker(roster: service.Service) -> int:
    """Return the process id of one worker."""
    engine = find_engine().resolve()
    children = cpu.process_tree(roster.pid)[1:]
    return next(pid for pid in children if Path(f"/proc/{pid}/exe").resolve() != engine)


def _load_while(
    recorder: "subprocess.Popen[bytes]", load: Load, connections: int, seconds: int
) -> None:
    try:
        run(load, connections, seconds + 2)
        recorder.wait(timeout=30)
    finally:
        recorder.kill()
        recorder.wait()


def _strip(graph: str) -> str:
    """Remove the script and the buttons, and replace the title."""
    for pattern in (_SCRIPT, _BUTTONS):
        graph = pattern.sub("", graph)
    return _TITLE.sub(r"\1GET /v1/users/{id}, one worker, Python only", graph)


if __name__ == "__main__":
    sys.exit(main())
