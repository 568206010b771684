"""Measures the cold import of a module, each time in a new process."""

import subprocess
import sys

_PROGRAM = """
import time
before = time.process_time()
{statement}
print(time.process_time() - before)
"""
_TIMEOUT = 60  # seconds


def cold_import_seconds(statement: str) -> float:
    """Return the processor time of an import statement in a new interpreter, in seconds.

    Args:
        statement: For example `import flask`. Its bytecode is cached after the first time.
    """
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(statement=statement)],
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    return float(finished.stdout)
