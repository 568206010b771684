"""Record the metrics of one worker."""

import itertools
import threading
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g, request, request_finished
from pynamodb.exceptions import PynamoDBException

from api.problems import PROBLEMS
from flask_pynamodb import call_finished, error_code, is_unavailable
from flask_pynamodb.errors import THROTTLED_CODES
from models import Counted, EmailKind, counted, hash_load, lockout_began
from models.clock import now
from roster.email import EMAIL_OUTCOMES, email_handled, queued_emails
from roster.front import Front
from roster.observability.metrics import definitions as metrics

# Keys of the WSGI environment, which the app writes and the observer reads.
_ROUTE = "roster.route"
_PROBLEM = "roster.problem"
_UNMATCHED = "unmatched"
# Clients can send any name of a method.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
# Combinations of labels whose counters are kept at hand; there are fewer.
_MAX_CACHED = 4096
_SAMPLE_SECONDS = 1.0
_OUTCOMES = {Counted.SIGN_INS: "success", Counted.FAILED_SIGN_INS: "failure"}


class Recorder:
    """Counts responses, calls to the database, sign-ins and emails of a worker.

    Args:
        app: The app of the worker.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        # The signals have weak references to these methods.
        request_finished.connect(self._note_route, app)
        call_finished.connect(self._count_call)
        counted.connect(self._count_account)
        lockout_began.connect(self._count_lockout)
        email_handled.connect(self._count_email)
        _create_counters()
        metrics.WORKERS.set(1)

    def served(
        self, environ: dict[str, Any], status: int, *, lane: str, waited: float, seconds: float
    ) -> None:
        """Count a response of the app; see `Observer`."""
        method, route = environ["REQUEST_METHOD"], environ.get(_ROUTE, _UNMATCHED)
        _responses(method, route, status).inc()
        _durations(method, route).observe(seconds)
        _waits(lane).observe(waited)
        if problem := environ.get(_PROBLEM):
            _problems(problem).inc()

    def responded(self, method: str, route: str, status: int) -> None:
        """Count a response of the front; see `Observer`."""
        _responses(method, route, status).inc()

    def rejected(self, method: str, status: int, problem: str) -> None:
        """Count an error response of the front; see `Observer`."""
        _responses(method, _UNMATCHED, status).inc()
        _problems(problem).inc()

    def start_sampling(self, front: Front) -> None:
        """Start the thread that samples queues, each second."""
        thread = threading.Thread(target=self._sample, args=(front,), name="metrics", daemon=True)
        thread.start()

    def _sample(self, front: Front) -> None:
        while True:
            self.sample(front)
            # Never set: this waits for the time only.
            threading.Event().wait(_SAMPLE_SECONDS)

    def sample(self, front: Front) -> None:
        """Sample the lengths of the queues, and the age of the signing key."""
        for lane, pending in front.pending.items():
            metrics.LANE_REQUESTS.labels(lane).set(pending)
        running, waiting = hash_load()
        metrics.HASHES.labels("running").set(running)
        metrics.HASHES.labels("waiting").set(waiting)
        metrics.QUEUED_EMAILS.set(queued_emails())
        created_at = self._app.extensions["roster"].signing_keys.signer_created_at()
        if created_at is not None:
            metrics.SIGNING_KEY_AGE.set((now() - created_at).total_seconds())

    def _note_route(self, sender: Flask, response: Response, **details: Any) -> None:
        """Note what the request was about, for `served`."""
        if request.url_rule is not None:
            request.environ[_ROUTE] = request.url_rule.rule
        if problem := g.get("problem"):
            request.environ[_PROBLEM] = problem

    def _count_call(
        self,
        connection: Any,
        *,
        operation: str,
        duration: float,
        tries: int,
        consumed_capacity: float | None,
        error: BaseException | None,
        **details: Any,
    ) -> None:
        _calls(operation, _outcome_of(error)).inc()
        _call_durations(operation).observe(duration)
        if tries > 1:
            _retries(operation).inc(tries - 1)
        if consumed_capacity:
            _units(operation).inc(consumed_capacity)

    def _count_account(self, what: Counted) -> None:
        if what is Counted.SIGN_UPS:
            metrics.SIGN_UPS.inc()
        else:
            _sign_ins(_OUTCOMES[what]).inc()

    def _count_lockout(self, reason: str) -> None:
        metrics.LOCKOUTS.inc()

    def _count_email(self, kind: EmailKind, outcome: str) -> None:
        _emails(kind, outcome).inc()


def _create_counters() -> None:
    """Create the counters that alerts watch: a rate needs a value from before the first event."""
    for slug in PROBLEMS:
        metrics.PROBLEMS.labels(slug)
    for kind, outcome in itertools.product(EmailKind, EMAIL_OUTCOMES):
        metrics.EMAILS.labels(kind, outcome)
    for outcome in _OUTCOMES.values():
        metrics.SIGN_INS.labels(outcome)


def _outcome_of(error: BaseException | None) -> str:
    """Return how a call to the database has ended, in one word."""
    if error is None:
        return "ok"
    if isinstance(error, PynamoDBException) and error_code(error) in THROTTLED_CODES:
        return "throttled"
    return "unavailable" if is_unavailable(error) else "rejected"


# Looking a child up by its labels takes several times as long as counting.
@lru_cache(_MAX_CACHED)
def _responses(method: str, route: str, status: int) -> Any:
    return metrics.REQUESTS.labels(_known(method), route, status)


@lru_cache(_MAX_CACHED)
def _durations(method: str, route: str) -> Any:
    return metrics.REQUEST_SECONDS.labels(_known(method), route)


def _known(method: str) -> str:
    return method if method in _METHODS else "other"


_problems = lru_cache(_MAX_CACHED)(metrics.PROBLEMS.labels)
_waits = lru_cache(_MAX_CACHED)(metrics.QUEUE_SECONDS.labels)
_calls = lru_cache(_MAX_CACHED)(metrics.DATABASE_CALLS.labels)
_call_durations = lru_cache(_MAX_CACHED)(metrics.DATABASE_SECONDS.labels)
_retries = lru_cache(_MAX_CACHED)(metrics.DATABASE_RETRIES.labels)
_units = lru_cache(_MAX_CACHED)(metrics.DATABASE_UNITS.labels)
_sign_ins = lru_cache(_MAX_CACHED)(metrics.SIGN_INS.labels)
_emails = lru_cache(_MAX_CACHED)(metrics.EMAILS.labels)
