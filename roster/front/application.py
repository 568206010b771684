"""The RSGI application of a worker."""

import asyncio
import logging
import math
import os
import signal
import threading
import time
from asyncio import AbstractEventLoop
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian.rsgi import Scope

from api.delays import MIN_SECONDS
from api.errors import BASE_URL
from models.log_fields import LogFields
from roster.front import body, environ, responses
from roster.front.lanes import Job, Lane
from roster.front.observer import Observer, Observers
from roster.front.responses import Response
from roster.front.routing import LIVE_PATH, READY_PATH, Router
from roster.front.watchdog import Watchdog

log = logging.getLogger("roster.front")

# A slot for each hash that the pool of a worker computes, and some that read and write around it.
_WAITING_HASHES = 5
# Requests that are rejected within this time are one line of the log.
_BUSY_SECONDS = 1.0


@dataclass(frozen=True)
class FrontSettings:
    """The limits of the front of one worker.

    Attributes:
        max_body: The maximum length of a body in bytes.
        body_seconds: The deadline for a body.
        queue_seconds: How long a request may wait for a thread.
        max_queued: Requests that may wait in each lane.
        threads: Threads for requests that hash no password.
        hash_threads: Hashes that the worker computes at the same time.
    """

    max_body: int = 64 * 1024
    body_seconds: float = 10.0
    queue_seconds: float = 5.0
    max_queued: int = 1024
    threads: int = 8
    hash_threads: int = 1


class Front:
    """Reads requests in the event loop, and serves them with a WSGI app on threads.

    Args:
        app: The app.
        settings: The limits.
        observers: Are called with each response.
    """

    def __init__(self, app: Flask, settings: FrontSettings, *observers: Observer) -> None:
        self._app = app
        self._settings = settings
        self._observer = Observers(*observers)
        self._problem = partial(responses.problem, base_url=app.config.get(BASE_URL, ""))
        self._router = Router(app)
        self._live = _response_of(app, LIVE_PATH)
        self._requests = self._lane("requests", settings.threads)
        self._hashes = self._lane("passwords", settings.hash_threads + _WAITING_HASHES)
        # Load balancers must get an answer, whatever other requests do.
        self._probes = self._lane("probes", 1)
        # Rejected requests that no line has yet, by lane.
        self._busy: Counter[str] = Counter()
        self._lanes = (self._requests, self._hashes, self._probes)

    @property
    def pending(self) -> dict[str, int]:
        """The numbers of requests that wait or are being served, by lane."""
        return {lane.name: lane.pending for lane in self._lanes}

    def __rsgi_init__(self, loop: AbstractEventLoop) -> None:
        """Start the threads; granian calls this when the event loop is ready."""
        self._loop = loop
        _forward_signals_to(loop)
        for lane in self._lanes:
            lane.start(loop)
        Watchdog(self._lanes).start(loop)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Serve one request."""
        reject = partial(self._reject, protocol, scope)
        try:
            job = await self._read(scope, protocol)
        except environ.Rejected as error:
            reject("bad-request", str(error))
        except body.BodyTooLarge:
            detail = f"A body has at most {self._settings.max_body} bytes."
            reject("payload-too-large", detail)
        except body.BodyTooLate:
            detail = f"The body was not complete within {self._settings.body_seconds:g} seconds."
            reject("request-timeout", detail)
        except (body.BodyIncomplete, ProtocolClosed):
            reject("bad-request", "The body is incomplete, or its framing is invalid.")
        else:
            if job is not None:
                await job.done
                await self._send_delayed(job)

    def _reject(self, protocol: HTTPProtocol, scope: Scope, slug: str, detail: str) -> None:
        """Respond to a request that cannot be read to its end."""
        response = self._problem(slug, detail, path=scope.path, closes=True)
        self._observer.rejected(scope.method, response[0], slug)
        _send(protocol, response)

    async def _read(self, scope: Scope, protocol: HTTPProtocol) -> Job | None:
        """Return the complete request; None if it is answered already."""
        path = scope.path
        request = environ.build(scope)
        length = body.declared_length(request)
        if length and length > self._settings.max_body and "HTTP_EXPECT" in request:
            # The client waits for permission to send the body.
            raise body.BodyTooLarge
        has_body = length or (length is None and "transfer-encoding" in scope.headers)
        if path == LIVE_PATH and scope.method in ("GET", "HEAD") and not has_body:
            self._observer.responded(scope.method, LIVE_PATH, self._live[0])
            _send(protocol, self._live_response(request))
            return None
        data = b""
        if has_body:
            data = await body.read_in_time(
                self._loop,
                protocol,
                limit=self._settings.max_body,
                length=length,
                seconds=self._settings.body_seconds,
            )
        environ.add_body(request, data)
        lane = self._lane_of(scope.method, path)
        if lane.is_full:
            self._send_busy(protocol, request, lane)
            return None
        received_at = self._loop.time()
        expires_at = received_at + lane.max_wait
        job = Job(request, protocol, self._loop.create_future(), expires_at, received_at)
        lane.submit(job)
        if lane is self._hashes and lane.is_busy:
            self._drop_if_gone(job, lane)
        return job

    def _lane_of(self, method: str, path: str) -> Lane:
        if path == READY_PATH:
            return self._probes
        if self._router.hashes_password(method, path):
            return self._hashes
        return self._requests

    def _lane(self, name: str, threads: int) -> Lane:
        settings = self._settings
        lane = Lane(
            name,
            threads=threads,
            max_queued=settings.max_queued,
            max_wait=settings.queue_seconds,
            serve=partial(self._run, name),
            expire=lambda job: self._send_busy(job.protocol, job.environ, lane),
        )
        return lane

    def _send_busy(self, protocol: HTTPProtocol, request: dict[str, Any], lane: Lane) -> None:
        retry_after = max(1, math.ceil(lane.max_wait))
        detail = "Too many requests are waiting. Nothing was changed."
        response = self._problem("busy", detail, request, retry_after=retry_after)
        self._observer.rejected(request["REQUEST_METHOD"], response[0], "busy")
        self._log_busy(lane.name)
        _send(protocol, response)

    def _log_busy(self, lane: str) -> None:
        """Count a rejected request for the line that is logged a second later."""
        if not self._busy:
            self._loop.call_later(_BUSY_SECONDS, self._write_busy)
        self._busy[lane] += 1

    def _write_busy(self) -> None:
        for lane, number in self._busy.items():
            fields = LogFields(status=503, problem="busy", lane=lane, requests=number)
            log.warning("rejected %s", fields)
        self._busy.clear()

    def _drop_if_gone(self, job: Job, lane: Lane) -> None:
        """Drop a queued request whose client disconnects, so that nothing is hashed for it."""

        async def wait() -> None:
            await job.protocol.client_disconnect()
            lane.drop(job)

        task = self._loop.create_task(wait())
        job.done.add_done_callback(lambda _: task.cancel())

    def _live_response(self, request: dict[str, Any]) -> Response:
        status, headers, content = self._live
        request_id = responses.request_id_of(request)
        content = b"" if request["REQUEST_METHOD"] == "HEAD" else content
        return status, [*headers, ("x-request-id", request_id)], content

    def _run(self, lane: str, job: Job) -> None:
        """Serve a job in a thread of a lane."""
        started_at = time.monotonic()
        try:
            response = _call(self._app, job.environ)
        except Exception:
            # The app responds to its own errors: this is an error of the server.
            log.exception("a request failed outside of the app")
            response = self._problem("internal-error", "The service failed.", job.environ)
        self._observer.served(
            job.environ,
            response[0],
            lane=lane,
            waited=started_at - job.received_at,
            seconds=time.monotonic() - job.received_at,
        )
        # The clock of the event loop.
        due = job.received_at + job.environ.get(MIN_SECONDS, 0)
        if due > time.monotonic():
            job.delayed = (response, due)
        else:
            _send(job.protocol, response)
        # The body may have a password.
        job.environ.clear()

    async def _send_delayed(self, job: Job) -> None:
        """Send a response that is due later; neither a thread nor a place in a lane waits."""
        if job.delayed is None:
            return
        response, due = job.delayed
        await asyncio.sleep(due - self._loop.time())
        _send(job.protocol, response)


def _call(app: Any, request: dict[str, Any]) -> Response:
    """Call a WSGI app, and return its complete response."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        started[:] = [int(status[:3]), headers]

    chunks = app(request, start_response)
    try:
        content = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    status, headers = started
    return status, [*headers, responses.SERVER], content


def _send(protocol: HTTPProtocol, response: Response) -> None:
    protocol.response_bytes(*response)


def _response_of(app: Flask, path: str) -> Response:
    """Return the response of the app to a GET, without the ID of the request."""
    answer = app.test_client().get(path)
    headers = [
        (name.lower(), value)
        for name, value in answer.headers.items()
        if name.lower() not in ("x-request-id", "content-length")
    ]
    return answer.status_code, [*headers, responses.SERVER], answer.data


def _forward_signals_to(loop: AbstractEventLoop) -> None:
    """Let a handler that is called by another thread stop the server.

    Granian registers its handler with the event loop, which learns of a signal through a file
    descriptor that CPython writes to. The thread that receives signals calls Python handlers only.
    """
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    if wakeup < 0:
        return
    is_stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        # A second signal would block the event loop in granian, and with it the requests that are
        # still being read.
        if not is_stopping.is_set():
            is_stopping.set()
            os.write(wakeup, bytes([number]))

    signal.signal(signal.SIGTERM, stop)
