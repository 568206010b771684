"""Measures the cold import of a module, each time in a new process."""

import os
import subprocess
import sys

_PROGRAM = """
import time
before = time.process_time()
{statement}
print(time.process_time() - before)
"""
_NO_CACHE = "PYTHONDONTWRITEBYTECODE"
_TIMEOUT = 60  # seconds


def cold_import_seconds(statement: str) -> float:
    """Return the processor time of an import statement in a new interpreter, in seconds.

    Args:
        statement: For example `import flask`. Its bytecode is cached after the first time.
    """
    # Where bytecode is not cached, only our modules would be compiled: those of pip are.
    variables = {key: value for key, value in os.environ.items() if key != _NO_CACHE}
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(statement=statement)],
        env=variables,
        check=True,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    return float(finished.stdout)
