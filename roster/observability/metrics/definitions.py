"""The metrics: names, labels and units."""

from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

# In seconds: a read takes some milliseconds, a sign-in tens, a queue at most ROSTER_QUEUE_SECONDS.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Values of workers that have ended are left out; those of the others are added up.
_SUM: Literal["livesum"] = "livesum"

REQUESTS = Counter(
    "roster_requests",
    "Responses by route and status; the route is `unmatched` where no route was reached.",
    ["method", "route", "status"],
    registry=None,
)
REQUEST_SECONDS = Histogram(
    "roster_request_duration_seconds",
    "Time from the complete request to its response, without the time that failed sign-ins wait.",
    ["method", "route"],
    buckets=_SECONDS,
    registry=None,
)
PROBLEMS = Counter(
    "roster_problems",
    "Error responses by the type of their problem.",
    ["type"],
    registry=None,
)
QUEUE_SECONDS = Histogram(
    "roster_queue_wait_seconds",
    "Time that requests waited for a thread of their lane.",
    ["lane"],
    buckets=_SECONDS,
    registry=None,
)
LANE_REQUESTS = Gauge(
    "roster_lane_requests",
    "Requests in a lane, waiting and being served.",
    ["lane"],
    multiprocess_mode=_SUM,
    registry=None,
)
DATABASE_CALLS = Counter(
    "roster_database_calls",
    "Calls to DynamoDB; `outcome` is `ok`, `throttled`, `unavailable` or `rejected`.",
    ["operation", "outcome"],
    registry=None,
)
DATABASE_SECONDS = Histogram(
    "roster_database_call_duration_seconds",
    "Time of a call to DynamoDB, with its retries.",
    ["operation"],
    buckets=_SECONDS,
    registry=None,
)
DATABASE_RETRIES = Counter(
    "roster_database_retries",
    "Requests to DynamoDB after the first one of a call.",
    ["operation"],
    registry=None,
)
DATABASE_UNITS = Counter(
    "roster_database_consumed_units",
    "Consumed capacity units, reads and writes by their operation.",
    ["operation"],
    registry=None,
)
HASHES = Gauge(
    "roster_password_hashes",
    "Password hashes by `state`: `running` or `waiting`.",
    ["state"],
    multiprocess_mode=_SUM,
    registry=None,
)
SIGN_UPS = Counter("roster_sign_ups", "Created accounts, without imported ones.", registry=None)
SIGN_INS = Counter(
    "roster_sign_ins",
    "Attempts to sign in by `outcome`: `success` or `failure`; not those during a lockout.",
    ["outcome"],
    registry=None,
)
LOCKOUTS = Counter("roster_lockouts", "Lockouts of known and unknown logins.", registry=None)
EMAILS = Counter(
    "roster_emails",
    "Emails by `outcome`: `sent`, `postponed`, `failed` or `dropped`.",
    ["kind", "outcome"],
    registry=None,
)
QUEUED_EMAILS = Gauge(
    "roster_emails_queued",
    "Emails that wait for a delivery.",
    multiprocess_mode=_SUM,
    registry=None,
)
SIGNING_KEY_AGE = Gauge(
    "roster_signing_key_age_seconds",
    "Age of the key that signs access tokens; 0 until one has signed.",
    multiprocess_mode="livemax",
    registry=None,
)
WORKERS = Gauge("roster_workers", "Running workers.", multiprocess_mode=_SUM, registry=None)
