"""Serve the metrics of all workers, in the parent process."""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# How long a client may take to send its request, in seconds; others wait meanwhile.
_TIMEOUT = 2.0


class _Handler(WSGIRequestHandler):
    timeout = _TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape each few seconds is no news."""


class _LiveWorkers:
    """Adds up the values of all workers, but the current ones of those that run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._values = MultiProcessCollector(None, str(folder))

    def collect(self) -> Iterable[Metric]:
        """Forget workers that have ended, and return the metrics."""
        for path in self._folder.glob("gauge_live*_*.db"):
            pid = int(path.stem.rpartition("_")[2])
            if not _exists(pid):
                mark_process_dead(pid, str(self._folder))
        values: Iterable[Metric] = self._values.collect()
        return values


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def serve_metrics(folder: Path, host: str, port: int) -> Iterator[None]:
    """Serve `/metrics` in a thread, while the block runs.

    Args:
        folder: The folder of the values.
        host: An IP address.
        port: A free port.
    """
    registry = CollectorRegistry()
    registry.register(_LiveWorkers(folder))
    app = make_wsgi_app(registry)
    with make_server(host, port, app, handler_class=_Handler) as server:
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
