"""argon2 alone: what sign-up and sign-in would cost if they did nothing but hash.

The benchmark runs it as `python -m bench.support.argon2 SECONDS`, once for each process.
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

from bench.support import cpu
from bench.support.load import Sample
from bench.support.process import BenchError, running
from models import OWASP_PROFILE, PasswordHasher

_PASSWORD = "correct horse battery staple"
# Imports and warm-up take a second or two; a process that gets no start signal ends by itself.
_TIMEOUT_MARGIN = 60


def measure(seconds: int, processes: int) -> Sample:
    """Hash on as many processes as the service has workers; each process uses one core."""
    command = [sys.executable, "-m", "bench.support.argon2", str(seconds)]
    with ExitStack() as stack:
        children = [
            stack.enter_context(running(command, subprocess.PIPE, stdin=subprocess.PIPE))
            for _ in range(processes)
        ]
        for child in children:
            _read_line(child, "ready")
        stop = cpu.start_meter([child.pid for child in children])
        for child in children:
            child.stdin.write(b"go\n")  # type: ignore[union-attr]
            child.stdin.flush()  # type: ignore[union-attr]
        results = [json.loads(_read_line(child, "{")) for child in children]
        used = stop()
    rate = sum(result["hashes"] / result["seconds"] for result in results)
    return Sample(rate, None, used.per_request(sum(result["hashes"] for result in results)))


def main() -> None:
    """Hash for a number of seconds from the first line of input on, and print the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=int)
    seconds = parser.parse_args().seconds
    signal.alarm(seconds + _TIMEOUT_MARGIN)
    passwords = PasswordHasher(OWASP_PROFILE)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return
    hashes, start = 0, time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        passwords.hash(_PASSWORD)
        hashes += 1
    print(json.dumps({"hashes": hashes, "seconds": elapsed}), flush=True)


def _read_line(child: subprocess.Popen[bytes], prefix: str) -> str:
    line = child.stdout.readline().decode()  # type: ignore[union-attr]
    if not line.startswith(prefix):
        raise BenchError(f"argon2 alone failed. Its last output: {line or 'none'}")
    return line


if __name__ == "__main__":
    main()
