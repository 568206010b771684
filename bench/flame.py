"""`python -m bench.flame`: a flame graph of a worker that answers `GET /v1/users/{id}`.

py-spy, which has to be installed (`pip install py-spy`), looks 400 times a second at what a worker
does while it holds the interpreter lock, that is: at Python, not at waiting. The picture goes into
the documentation, without the script and the title that py-spy puts into it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import command, cpu, plan, service
from bench.load import Load, run
from bench.process import BenchError, stop_on_signals
from bench.users import enrol
from flask_pynamodb.local import EngineError, find_binary

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "flame-read.svg"
_USERS = 25
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
_TITLE = re.compile(r'(<text id="title"[^>]*>)[^<]*')
_BUTTONS = re.compile(r'<text id="(?:unzoom|search|matched)"[^>]*>[^<]*</text>')


def main() -> int:
    """Take the picture; the status of the process."""
    arguments = command.parser("bench.flame", __doc__, rounds=1, seconds=10).parse_args()
    stop_on_signals()
    try:
        picture = _take(arguments.seconds)
    except (BenchError, EngineError) as error:
        command.tell(f"bench: {error}")
        return 1
    if arguments.write:
        PICTURE.write_text(picture)
        command.tell(f"wrote {PICTURE}")
    return 0


def _take(seconds: int) -> str:
    program = shutil.which("py-spy")
    if program is None:
        raise BenchError("py-spy is not installed: `pip install py-spy` does it.")
    with tempfile.TemporaryDirectory(prefix="roster-bench-") as folder:
        raw = Path(folder) / "flame.svg"
        with service.roster(Path(folder) / "store") as roster:
            load = plan.reading(roster, enrol(roster, _USERS))
            connections = plan.CONNECTIONS[plan.READ]
            run(load, connections, 1)
            looks = ("record", "--gil", "--function", "--rate", "400", "--duration", str(seconds))
            recorder = subprocess.Popen(
                [program, *looks, "--output", str(raw), "--pid", str(_worker(roster))],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _load_while(recorder, load, connections, seconds)
        if not raw.exists():
            raise BenchError("py-spy could not look at the worker; it may need more rights.")
        return _plain(raw.read_text())


def _worker(roster: service.Service) -> int:
    """One of the processes that answer."""
    engine = find_binary().resolve()
    family = cpu.family_of(roster.pid)[1:]
    return next(pid for pid in family if Path(f"/proc/{pid}/exe").resolve() != engine)


def _load_while(
    recorder: "subprocess.Popen[bytes]", load: Load, connections: int, seconds: int
) -> None:
    try:
        run(load, connections, seconds + 2)
        recorder.wait(timeout=30)
    finally:
        recorder.kill()
        recorder.wait()


def _plain(picture: str) -> str:
    """The picture alone: it says neither where it was taken nor runs anything."""
    for pattern in (_SCRIPT, _BUTTONS):
        picture = pattern.sub("", picture)
    return _TITLE.sub(r"\1GET /v1/users/{id}, one worker, Python only", picture)


if __name__ == "__main__":
    sys.exit(main())
