"""What becomes of a call when the wire or DynamoDB fails, over both transports side by side.

The call is `ADD n 1`, so that the table tells how often it was applied. Where the two transports
differ on purpose, the case says why.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.flask_pynamodb.curl.conftest import TRANSPORTS, Patient
from tests.support.scripted_server import (
    ScriptedServer,
    Step,
    answer,
    changed,
    chunked,
    damaged,
    drip,
    end_instead_of_reply,
    error,
    forward,
    hint_first,
    repeated,
    reset_after,
    reset_before,
    stall,
    truncate,
    with_checksum,
    without,
)

HTML = b"<html><body>The balancer is fine.</body></html>"
FAST = [0.025, 0.05, 0.1]
SLOW = [1.0, 2.0, 4.0]
# Only for what would last for ever: on a busy machine an answer that is meant to come takes longer.
HURRY = {"connect_timeout": 0.5, "read_timeout": 0.5}


class Seen(NamedTuple):
    """What a caller, a server, a clock and the table see of one call."""

    outcome: Any
    tries: int
    waits: list[float]
    applied: int


@dataclass(frozen=True)
class Fault:
    """A script and what is to be seen; `botocore` and `why` where botocore does otherwise.

    `timeouts` are the client's where they are part of it.
    """

    name: str
    steps: list[Step]
    seen: Seen
    botocore: Seen | None = None
    why: str = ""
    timeouts: dict[str, float] = field(default_factory=dict)

    def seen_by(self, transport: str) -> Seen:
        return self.botocore if transport == "botocore" and self.botocore else self.seen


def once(step: Step) -> list[Step]:
    return [step]


def always(step: Step) -> list[Step]:
    return list(repeated(step, 4))


RECOVERED_FAST = Seen(1, 2, FAST[:1], 1)
RECOVERED_SLOW = Seen(1, 2, SLOW[:1], 1)
# What is not retried costs one try and no wait.
_AT_ONCE: dict[str, Any] = {"tries": 1, "waits": [], "applied": 0}

FAULTS = [
    # Throttling: long waits.
    Fault("throttled once", once(error(400, "ThrottlingException")), RECOVERED_SLOW),
    Fault(
        "throughput exceeded always",
        always(error(400, "ProvisionedThroughputExceededException")),
        Seen("ProvisionedThroughputExceededException", 4, SLOW, 0),
    ),
    Fault("too many requests", once(error(400, "RequestLimitExceeded")), RECOVERED_SLOW),
    Fault("slow down", once(error(503, "SlowDown")), RECOVERED_SLOW),
    Fault(
        "prior request not complete", once(error(400, "PriorRequestNotComplete")), RECOVERED_SLOW
    ),
    Fault("429 with nothing", once(answer(429, b"")), RECOVERED_SLOW),
    Fault("429 with nothing, always", always(answer(429, b"")), Seen("429", 4, SLOW, 0)),
    Fault("429 with an unknown code", once(error(429, "WhoKnowsException")), RECOVERED_SLOW),
    Fault(
        "429 with an error of the operation",
        once(error(429, "ConditionalCheckFailedException")),
        Seen("ConditionalCheckFailedException", **_AT_ONCE),
    ),
    # Trouble that passes: short waits.
    Fault("500", once(error(500, "InternalServerError")), RECOVERED_FAST),
    Fault(
        "500 always",
        always(error(500, "InternalServerError")),
        Seen("InternalServerError", 4, FAST, 0),
    ),
    Fault("500 with nothing, always", always(answer(500, b"")), Seen("500", 4, FAST, 0)),
    Fault("500 with HTML, always", always(answer(500, HTML)), Seen("500", 4, FAST, 0)),
    Fault("502", once(answer(502, HTML)), RECOVERED_FAST),
    Fault("503", once(answer(503, b"")), RECOVERED_FAST),
    Fault("504", once(answer(504, b"")), RECOVERED_FAST),
    Fault(
        "replicated write conflict",
        once(error(400, "ReplicatedWriteConflictException")),
        RECOVERED_FAST,
    ),
    Fault("request timeout", once(error(400, "RequestTimeout")), RECOVERED_FAST),
    Fault(
        "two kinds in a row",
        [error(400, "ThrottlingException"), error(500, "InternalServerError")],
        Seen(1, 3, [SLOW[0], FAST[1]], 1),
    ),
    # Refusals: waiting would not help.
    Fault(
        "condition failed",
        once(error(400, "ConditionalCheckFailedException")),
        Seen("ConditionalCheckFailedException", **_AT_ONCE),
    ),
    Fault(
        "validation",
        once(error(400, "ValidationException")),
        Seen("ValidationException", **_AT_ONCE),
    ),
    Fault(
        "conflict",
        once(error(400, "TransactionConflictException")),
        Seen("TransactionConflictException", **_AT_ONCE),
    ),
    Fault(
        "cancelled",
        once(error(400, "TransactionCanceledException")),
        Seen("TransactionCanceledException", **_AT_ONCE),
    ),
    Fault(
        "expired token",
        once(error(400, "ExpiredTokenException")),
        Seen("ExpiredTokenException", **_AT_ONCE),
    ),
    Fault(
        "unknown client",
        once(error(400, "UnrecognizedClientException")),
        Seen("UnrecognizedClientException", **_AT_ONCE),
    ),
    Fault("501", once(answer(501, b"")), Seen("501", **_AT_ONCE)),
    Fault("413 with HTML", once(answer(413, HTML)), Seen("413", **_AT_ONCE)),
    Fault("301", once(answer(301, b"", location="http://127.0.0.1:1/")), Seen("301", **_AT_ONCE)),
    # The wire: a write may have been applied although no reply came.
    Fault("reset before it was applied", once(reset_before), RECOVERED_FAST),
    Fault("reset always", always(reset_before), Seen("ConnectionClosedError", 4, FAST, 0)),
    Fault("end instead of a reply", once(end_instead_of_reply), RECOVERED_FAST),
    Fault("reset after it was applied", once(reset_after), Seen(2, 2, FAST[:1], 2)),
    Fault("stall", once(stall), RECOVERED_FAST, timeouts=HURRY),
    Fault("stall always", always(stall), Seen("ReadTimeoutError", 4, FAST, 0), timeouts=HURRY),
    Fault("chunks and trailers", once(chunked), Seen(1, 1, [], 1)),
    Fault(
        "103 before the reply",
        once(hint_first),
        Seen(1, 1, [], 1),
        botocore=Seen(None, 1, [], 1),
        why="botocore takes the interim reply for the answer.",
    ),
    Fault("truncated", once(truncate), Seen(2, 2, FAST[:1], 2)),
    Fault(
        "truncated always",
        always(truncate),
        Seen("ConnectionClosedError", 4, FAST, 4),
        botocore=Seen(None, 4, FAST, 4),
        why="botocore takes what came for an answer with nothing in it.",
    ),
    Fault(
        "slow drip",
        [drip(0.05), forward],
        Seen(1, 1, [], 1),
        timeouts=HURRY,
    ),
    # Replies that DynamoDB cannot have meant.
    Fault("damaged", once(changed(damaged)), Seen(2, 2, FAST[:1], 2)),
    Fault(
        "damaged always",
        always(changed(damaged)),
        Seen("UnreadableResponse", 4, FAST, 4),
        botocore=Seen(94, 4, FAST, 4),
        why="botocore returns the damaged data of the last try.",
    ),
    Fault("no checksum", once(changed(without("x-amz-crc32"))), Seen(1, 1, [], 1)),
    Fault(
        "HTML with 200",
        once(answer(200, HTML, content_type="text/html")),
        RECOVERED_FAST,
        botocore=Seen(None, 1, [], 0),
        why="botocore takes a balancer's page for an answer with nothing in it.",
    ),
    Fault(
        "HTML with 200, always",
        always(answer(200, HTML, content_type="text/html")),
        Seen("UnreadableResponse", 4, FAST, 0),
        botocore=Seen(None, 1, [], 0),
        why="As above.",
    ),
    Fault(
        "garbage with 200 and a good checksum",
        once(with_checksum(b'{"Attributes": {')),
        RECOVERED_FAST,
        botocore=Seen(None, 1, [], 0),
        why="As above.",
    ),
    Fault(
        "nothing with 200",
        once(answer(200, b"")),
        RECOVERED_FAST,
        botocore=Seen(None, 1, [], 0),
        why="As above. DynamoDB's shortest answer is {}.",
    ),
    Fault(
        "an array with 200",
        once(answer(200, b"[]")),
        RECOVERED_FAST,
        botocore=Seen("AttributeError", 1, [], 0),
        why="botocore's parser stumbles.",
    ),
    Fault(
        "somebody else's JSON with 200",
        once(answer(200, {"status": "logged out", "login": "https://portal.example/"})),
        RECOVERED_FAST,
        botocore=Seen(None, 1, [], 0),
        why="As above.",
    ),
    # x-amz-retry-after, in milliseconds.
    Fault(
        "retry after longer",
        once(error(503, "SlowDown", x_amz_retry_after="3000")),
        Seen(1, 2, [3.0], 1),
    ),
    Fault(
        "retry after too long",
        once(error(503, "SlowDown", x_amz_retry_after="60000")),
        Seen(1, 2, [6.0], 1),
    ),
    Fault(
        "retry after shorter", once(error(503, "SlowDown", x_amz_retry_after="10")), RECOVERED_SLOW
    ),
    Fault(
        "retry after nonsense",
        once(error(503, "SlowDown", x_amz_retry_after="soon")),
        RECOVERED_SLOW,
    ),
    Fault(
        "retry after the past", once(error(503, "SlowDown", x_amz_retry_after="-5")), RECOVERED_SLOW
    ),
]


def add_one(patient: Patient, table: str) -> Any:
    """Add 1 and return the sum, or what botocore calls the failure; None for an empty answer."""
    try:
        answered = patient.call(
            "UpdateItem",
            TableName=table,
            Key={"id": {"S": "counter"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
    except ClientError as refused:
        return refused.response["Error"]["Code"]
    except (BotoCoreError, AttributeError) as failed:
        return type(failed).__name__
    return int(answered["Attributes"]["n"]["N"]) if "Attributes" in answered else None


def count(engine_client: Any, table: str) -> int:
    """How often it was applied."""
    item = engine_client.get_item(TableName=table, Key={"id": {"S": "counter"}}).get("Item")
    return int(item["n"]["N"]) if item else 0


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "fault",
    [
        # The fallback engine sends no checksum, by which damage is noticed.
        pytest.param(fault, marks=[pytest.mark.dynoxide] if "damaged" in fault.name else [])
        for fault in FAULTS
    ],
    ids=lambda fault: fault.name,
)
class TestFaults:
    @pytest.mark.parametrize("calls_before", [0, 1], ids=["new connection", "kept connection"])
    def test_outcome_tries_and_waits(
        self,
        fault: Fault,
        transport: str,
        calls_before: int,
        server: ScriptedServer,
        table: str,
        make_patient: Callable[..., Patient],
        engine_client: Any,
    ) -> None:
        """Each fault ends as the table says, after so many tries, waits and writes."""
        patient = make_patient(transport, server.host, **fault.timeouts)
        [patient.call("Scan", TableName=table) for _ in range(calls_before)]
        server.play(*fault.steps)
        outcome = add_one(patient, table)
        tries = len(server.requests) - calls_before
        seen = Seen(outcome, tries, patient.waits, count(engine_client, table))

        assert seen == fault.seen_by(transport)


class TestDifferences:
    def test_each_has_its_reason(self) -> None:
        """Where the transports differ, the table says why."""
        different = [fault for fault in FAULTS if fault.botocore]

        assert all(fault.why for fault in different)
        assert all(fault.botocore != fault.seen for fault in different)
