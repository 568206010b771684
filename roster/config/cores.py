"""How many cores there are to work on."""

import os


def usable_cores() -> int:
    """The cores that this process may run on, where the system tells; else those of the machine.

    `taskset` and a container's set of processors leave a process fewer than the machine has. A
    container's share of their time does not show here.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
