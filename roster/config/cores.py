"""The number of usable cores."""

import os


def usable_cores() -> int:
    """Return the number of cores that this process may run on; by default those of the machine.

    `taskset` and the cpuset of a container limit a process to fewer cores than the machine has. A
    container's CPU quota is not considered.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
