"""Runs the service: granian, with worker processes and threads."""

import errno
import signal
import socket
from functools import partial
from typing import NoReturn

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server as Granian

import api
from api.config import Config

# A worker waits for argon2 (which frees the interpreter lock) or for DynamoDB most of the time.
_THREADS = 8
# After SIGTERM requests in flight are finished; none may take longer than the store's timeouts.
_DRAIN_SECONDS = 30


class PortTaken(Exception):
    """Somebody else listens on the port, or it may not be listened on."""


def refuse_taken_port(host: str, port: int) -> None:
    """Find out early whether the port can be had.

    Raises:
        PortTaken: It cannot; the text says why.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"({error.strerror})"
            raise PortTaken(
                f"Port {port} of {host} {reason}. Choose another one with --port."
            ) from None


def stop_on_signals() -> None:
    """Let SIGTERM and SIGINT end the start-up as they will end the server: cleanly."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def serve(config: Config, host: str, port: int) -> None:
    """Serve until a signal stops it; requests in flight are finished first."""
    Granian(
        "api:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=_THREADS,
        workers_kill_timeout=_DRAIN_SECONDS,
        log_level=LogLevels.error,
    ).serve(target_loader=partial(api.create_app, config), wrap_loader=False)


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)
