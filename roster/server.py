"""Runs the service: granian, with worker processes and threads."""

import contextlib
import errno
import gc
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server as Granian

from roster.app import create_app
from roster.config import Config

# A worker waits for argon2 (which frees the interpreter lock) or for DynamoDB most of the time.
# Those who want a hash take up eight of these at the most, where a worker has one core (Passwords,
# `waiting`): some are always left for reads.
_THREADS = 12
# After SIGTERM requests in flight are finished; none may take longer than the store's timeouts.
_DRAIN_SECONDS = 30
# How often whoever goes on after a signal is told once more.
_REMINDER_SECONDS = 1.0
# How often a process looks whether the one it depends on is still there.
_GLANCE_SECONDS = 0.25
# Ctrl-C, `kill`, and the terminal that is closed.
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The signals that GNU make cleans up after, as a bit mask of proc(5), where SIGHUP is bit 0.
_MAKE_CATCHES = sum(1 << number - 1 for number in (*_STOPPING, signal.SIGQUIT))
_is_told_to_stop = threading.Event()
_SIGNAL_MASK = re.compile(r"^(Sig\w+):\s*([0-9a-f]+)$", re.MULTILINE)


class PortTaken(Exception):
    """Somebody else listens on the port, or it may not be listened on."""


def free_address(host: str, port: int) -> str:
    """The IP address of a host, if the port can be had there: found out before anything starts.

    Raises:
        PortTaken: It cannot; the text says why.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        is_taken = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = "is taken" if is_taken else f"({getattr(error, 'strerror', error)})"
        raise PortTaken(
            f"Port {port} of {host} {reason}. Choose another one with --port."
        ) from None
    return str(address[0])


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let a signal end what comes before the server as it ends the server: cleanly."""
    for number in _STOPPING:
        # Whoever starts the service with nohup wants it to outlive the terminal.
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    try:
        yield
    finally:
        # Python takes its handlers away some time before its process ends: another Ctrl-C at that
        # moment would kill.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)


def stop_with_make() -> None:
    """Stop when make, the parent, is gone or has been told to stop.

    GNU make passes SIGTERM on to what it runs, but no other signal: it takes SIGINT for a Ctrl-C
    that everybody in the terminal has got, and waits. Linux shows it: while make waits like that
    it no longer catches the signal.
    """
    make = os.getppid()
    _stop_once(lambda: os.getppid() != make or _was_interrupted(make))


def serve(config: Config, host: str, port: int) -> None:
    """Serve until a signal stops it; requests in flight are finished first.

    A worker that dies is replaced; one that keeps dying ends the service with status 1.

    Args:
        config: The settings.
        host: An IP address.
        port: A port that can be had.
    """
    # Whoever starts the service with nohup wants it to outlive the terminal.
    heard = [number for number in _STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    _heed(heard)
    if _is_told_to_stop.is_set():
        raise SystemExit(0)
    server = Granian(
        "roster.app:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=_THREADS,
        workers_kill_timeout=_DRAIN_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
    )
    # Granian would take SIGHUP for a wish to start the workers anew.
    on_hangup = server.signal_handler_interrupt if signal.SIGHUP in heard else signal.SIG_IGN
    server.on_startup(partial(signal.signal, signal.SIGHUP, on_hangup))
    try:
        server.serve(target_loader=partial(_begin_work, config, os.getpid()), wrap_loader=False)
    except SystemExit:
        # Granian finds fault with a worker that was told to stop before its parent was.
        if not server.interrupt_signal:
            raise


def _begin_work(config: Config, parent: int) -> Flask:
    """What a worker does first: cut itself loose from its parent's signals, and build the app."""
    # In a session of its own it does not get the Ctrl-C that its parent gets.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _heed([signal.SIGTERM])
    _stop_once(lambda: os.getppid() != parent)
    _hash_undisturbed()
    app = create_app(config)
    # What is there now stays. A full collection would go through all of it, some 50 ms in which
    # the worker answers nobody, and find nothing.
    gc.freeze()
    return app


def _heed(numbers: Sequence[int]) -> None:
    """Give signals to whoever handles them by a thread of its own; all others hold them back.

    If any thread might take them, about one stop in forty under load is never heard of: CPython
    runs handlers in the main thread alone, which waits, and is not woken by what another has taken.
    A process that is forked from now on holds them back too.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    threading.Thread(target=_hand_over, args=(numbers,), name="heed", daemon=True).start()


def _hand_over(numbers: Sequence[int]) -> None:
    number = signal.sigwait(numbers)
    while True:
        handler = signal.getsignal(number)
        if handler is signal.SIG_DFL:
            # The worker has not begun to serve: there is nothing to finish.
            os._exit(0)
        if callable(handler):
            # Before the server has handlers there is the one that would end the main thread.
            with contextlib.suppress(SystemExit):
                handler(number, None)
        # Whoever still goes on is told again.
        time.sleep(_REMINDER_SECONDS)


def _hash_undisturbed() -> None:
    """Ask Linux not to interrupt a running thread each time another one wakes up.

    A hash goes through 19 MiB for some 17 ms; each interruption costs it part of its cache.
    Threads inherit this, so it comes before the server makes them. It needs no privilege.
    """
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _stop_once(is_over: Callable[[], bool]) -> None:
    """Send this process SIGTERM as soon as something is over."""

    def watch() -> None:
        # CPython runs handlers in the main thread, which would not hear of what this one takes.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        while not is_over():
            time.sleep(_GLANCE_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stop-once", daemon=True).start()


def _was_interrupted(make: int) -> bool:
    try:
        status = Path(f"/proc/{make}/status").read_text()
    except OSError:
        return False
    masks = {name: int(mask, 16) for name, mask in _SIGNAL_MASK.findall(status)}
    caught = masks.get("SigCgt", 0) & _MAKE_CATCHES
    return caught != 0 and caught | masks.get("SigIgn", 0) & _MAKE_CATCHES != _MAKE_CATCHES


def _stop(number: int, frame: object) -> NoReturn:
    # Python drops what is raised where nobody can catch it, as in what other modules do at a fork.
    _is_told_to_stop.set()
    raise SystemExit(0)
