"""argon2 alone: what signing up and signing in would cost if nothing else had to be done.

Run by the benchmark as `python -m bench.argon2 SECONDS`, once for each process.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

from bench import cpu
from bench.load import Sample
from bench.process import BenchError, running
from models import OWASP_PROFILE, Passwords

_PASSWORD = "correct horse battery staple"
# Importing and warming up take a second or two; a child that nobody lets go ends by itself.
_PATIENCE = 60


def measure(seconds: int, processes: int) -> Sample:
    """Hash on as many processes as the service has workers, each of which hashes on one core."""
    command = [sys.executable, "-m", "bench.argon2", str(seconds)]
    with ExitStack() as stack:
        children = [
            stack.enter_context(running(command, subprocess.PIPE, stdin=subprocess.PIPE))
            for _ in range(processes)
        ]
        for child in children:
            _expect(child, "ready")
        stop = cpu.metered([child.pid for child in children])
        for child in children:
            child.stdin.write(b"go\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
        outcomes = [json.loads(_expect(child, "{")) for child in children]
        used = stop()
    rate = sum(outcome["hashes"] / outcome["seconds"] for outcome in outcomes)
    return Sample(rate, None, used.each(sum(outcome["hashes"] for outcome in outcomes)))


def main() -> None:
    """Hash for a number of seconds, beginning when a line arrives, and say how often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int)
    seconds = parser.parse_args().seconds
    signal.alarm(seconds + _PATIENCE)
    passwords = Passwords(OWASP_PROFILE)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return
    hashes, began = 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        passwords.hash(_PASSWORD)
        hashes += 1
    print(json.dumps({"hashes": hashes, "seconds": elapsed}), flush=True)


def _expect(child: subprocess.Popen[bytes], beginning: str) -> str:
    line = child.stdout.readline().decode()  # type: ignore[union-attr]
    if not line.startswith(beginning):
        raise BenchError(f"argon2 alone failed, saying: {line or 'nothing'}")
    return line


if __name__ == "__main__":
    main()
