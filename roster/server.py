"""Run the service on granian, with worker processes and threads."""

import contextlib
import errno
import gc
import os
import re
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server as Granian

from roster.app import create_app
from roster.config import Config, SettingError, usable_cores
from roster.front import Front, FrontSettings
from roster.observability import logs
from roster.observability.access_log import AccessLog

# The buffer for a request line and header fields, in bytes. Heads that do not fit are 414 or 431;
# what arrives in one read may exceed it.
_MAX_HEAD = 32 * 1024
# Connections that wait to be accepted.
_BACKLOG = 2048
# After SIGTERM requests in flight are finished; none may take longer than the database timeouts.
_DRAIN_SECONDS = 30
# How often a signal is delivered again while the process continues.
_REPEAT_SECONDS = 1.0
# How often a process checks whether its parent still exists.
_POLL_SECONDS = 0.25
# Ctrl-C, `kill`, and a closed terminal.
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The signals that GNU make handles, as a bit mask of proc(5), where SIGHUP is bit 0.
_MAKE_SIGNALS = sum(1 << number - 1 for number in (*_STOP_SIGNALS, signal.SIGQUIT))
# Where `prometheus_client` keeps the values of a process.
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_stop_requested = threading.Event()
_SIGNAL_MASK = re.compile(r"^(Sig\w+):\s*([0-9a-f]+)$", re.MULTILINE)


class PortTaken(Exception):
    """The port is in use or not permitted."""


def free_address(host: str, port: int, *, advice: str = "--port") -> str:
    """Return the IP address of a host, after checking that the port is free there.

    Args:
        host: The host.
        port: The port.
        advice: How to choose another port.

    Raises:
        PortTaken: The port is not available; the text says why.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        is_taken = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = "is in use" if is_taken else f"({getattr(error, 'strerror', error)})"
        raise PortTaken(
            f"Port {port} of {host} {reason}. Choose another one with {advice}."
        ) from None
    return str(address[0])


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Exit cleanly on a signal that arrives before the server handles signals."""
    for number in _STOP_SIGNALS:
        # Under nohup the service outlives the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        # Python removes its handlers some time before the process ends: another Ctrl-C then would
        # kill it.
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


def stop_with_make() -> None:
    """Stop when make, the parent process, is gone or was interrupted.

    GNU make forwards SIGTERM to its children, but no other signal: it assumes that a SIGINT was a
    Ctrl-C that reached every process of the terminal, and waits for them. /proc shows this state:
    while make waits, it no longer catches the signal.
    """
    make = os.getppid()
    _watch_parent(lambda: os.getppid() != make or _was_interrupted(make))


def serve(config: Config, host: str, port: int) -> None:
    """Serve until a signal stops it; requests in flight are finished first.

    A worker that dies is replaced; one that keeps dying ends the service with status 1.

    Args:
        config: The settings.
        host: An IP address.
        port: A free port.
    """
    # Under nohup the service outlives the terminal.
    handled = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    _dispatch_signals(handled)
    if _stop_requested.is_set():
        raise SystemExit(0)
    server = _granian(config, host, port)
    # Granian would restart its workers on SIGHUP.
    on_hangup = server.signal_handler_interrupt if signal.SIGHUP in handled else signal.SIG_IGN
    server.on_startup(partial(signal.signal, signal.SIGHUP, on_hangup))
    try:
        # Granian types its targets as callables, also those with `__rsgi__`.
        loader: Any = partial(_start_worker, config, os.getpid())
        with _metrics(config):
            server.serve(target_loader=loader, wrap_loader=False)
    except SystemExit:
        # Granian reports a failure if a worker received the signal before its parent.
        if not server.interrupt_signal:
            raise


def _granian(config: Config, host: str, port: int) -> Any:
    return Granian(
        "roster.front:Front",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        websockets=False,
        # A cleartext HTTP/2 connection that ends in the middle of a body would block its threads
        # forever. HTTP/2 is negotiated over TLS, which ends at a proxy in front of the service.
        http=HTTPModes.http1,
        workers=config.workers,
        # Granian counts connections, not requests.
        backpressure=config.max_connections,
        backlog=_BACKLOG,
        http1_settings=HTTP1Settings(
            # It also limits how long an idle connection is kept.
            header_read_timeout=round(config.keep_alive.total_seconds() * 1000),
            max_buffer_size=_MAX_HEAD,
        ),
        workers_kill_timeout=_DRAIN_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    )


@contextmanager
def _metrics(config: Config) -> Iterator[None]:
    """Serve metrics in the block, if there is a port for them; workers of the block have some."""
    if config.metrics_port is None:
        yield
        return
    try:
        temporary = tempfile.TemporaryDirectory(prefix="roster-metrics-")
    except OSError:
        # For example in a container with a read-only file system.
        raise SettingError(
            "ROSTER_METRICS_PORT needs a folder for temporary files that can be written: mount one"
            " at /tmp, or name it in TMPDIR."
        ) from None
    with temporary as folder:
        os.environ[_METRICS_FOLDER] = folder
        # It decides where values are kept when it is imported.
        from roster.observability.metrics.exporter import serve_metrics  # noqa: PLC0415

        with serve_metrics(Path(folder), config.metrics_host, config.metrics_port):
            yield


def _start_worker(config: Config, parent: int) -> Front:
    """Start a worker: detach it from the signals of its parent, and build the app and its front."""
    # A process in another session does not receive the Ctrl-C of the terminal.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _dispatch_signals([signal.SIGTERM])
    _watch_parent(lambda: os.getppid() != parent)
    _set_scheduling_policy()
    logs.configure(config.log_format)
    front = _build_front(config)
    # Everything loaded so far stays. A full garbage collection would scan it for about 50 ms, in
    # which the worker responds to no request, and free nothing.
    gc.freeze()
    return front


def _build_front(config: Config) -> Front:
    app = create_app(config)
    settings = FrontSettings(
        body_seconds=config.body_timeout.total_seconds(),
        queue_seconds=config.queue_timeout.total_seconds(),
        hash_threads=max(1, usable_cores() // config.workers),
    )
    observers = [AccessLog(app)] if config.access_log else []
    if config.metrics_port is None:
        return Front(app, settings, *observers)
    # As in `_metrics`: the folder of the values must be known.
    from roster.observability.metrics.recorder import Recorder  # noqa: PLC0415

    recorder = Recorder(app)
    front = Front(app, settings, *observers, recorder)
    recorder.start_sampling(front)
    return front


def _dispatch_signals(numbers: Sequence[int]) -> None:
    """Deliver signals to their handlers from a dedicated thread; all other threads block them.

    If any thread could receive them, about one stop in forty under load would be lost: CPython runs
    handlers in the main thread only, which waits and is not woken by a signal that another thread
    received. Processes forked from now on block them, too.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    threading.Thread(target=_wait_for_signal, args=(numbers,), name="signals", daemon=True).start()


def _wait_for_signal(numbers: Sequence[int]) -> None:
    number = signal.sigwait(numbers)
    while True:
        handler = signal.getsignal(number)
        if handler is signal.SIG_DFL:
            # The worker does not serve yet: there is nothing to finish.
            os._exit(0)
        if callable(handler):
            # Until the server sets its handlers, the handler is the one that exits.
            with contextlib.suppress(SystemExit):
                handler(number, None)
        # Deliver the signal again while the process continues.
        time.sleep(_REPEAT_SECONDS)


def _set_scheduling_policy() -> None:
    """Ask Linux not to preempt a running thread each time another one wakes up.

    A hash sweeps 19 MiB for about 17 ms; each preemption costs it part of its cache. Threads
    inherit the policy, so it is set before the server starts them. It needs no privilege.
    """
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _watch_parent(is_gone: Callable[[], bool]) -> None:
    """Send this process SIGTERM once its parent is gone."""

    def watch() -> None:
        # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        while not is_gone():
            time.sleep(_POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def _was_interrupted(make: int) -> bool:
    try:
        status = Path(f"/proc/{make}/status").read_text()
    except OSError:
        return False
    masks = {name: int(mask, 16) for name, mask in _SIGNAL_MASK.findall(status)}
    caught = masks.get("SigCgt", 0) & _MAKE_SIGNALS
    return caught != 0 and caught | masks.get("SigIgn", 0) & _MAKE_SIGNALS != _MAKE_SIGNALS


def _stop(number: int, frame: object) -> NoReturn:
    # Python drops an exception that no caller can catch, as in the fork hooks of other modules.
    _stop_requested.set()
    raise SystemExit(0)
