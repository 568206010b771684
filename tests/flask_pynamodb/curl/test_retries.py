"""The rules of trying again, by themselves."""

import logging
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from flask_pynamodb.curl.operations import Operation
from flask_pynamodb.curl.retries import Attempts, Failure, Quota, Retries, RetryKind, retry_kind_of

GET = Operation("GetItem", "", frozenset(), {"ThrottlingException": None}, False)
PUT = Operation("PutItem", "", frozenset(), {"Busy": True, "Replicated": False, "No": None}, False)
TIMEOUT = Failure(RetryKind.TRANSIENT, ReadTimeoutError(endpoint_url="http://db.example"))
THROTTLED = Failure(RetryKind.THROTTLED, {"Error": {"Code": "ThrottlingException"}})


def rules(**changes: Any) -> Retries:
    settings: dict[str, Any] = {
        "attempts": 4,
        "deadline": None,
        "quota": Quota(),
        "rand": lambda: 1.0,
    }
    return Retries(**{**settings, **changes})


def described(attempts: Attempts) -> dict[str, Any]:
    """What the metadata says of them."""
    metadata: dict[str, Any] = {}
    attempts.describe_in(metadata)
    return metadata


class TestHopeAfter:
    @pytest.mark.parametrize(
        ("status", "code", "operation", "retry_kind"),
        [
            (400, "ThrottlingException", GET, RetryKind.THROTTLED),
            (429, "429", GET, RetryKind.THROTTLED),
            (400, "Busy", PUT, RetryKind.THROTTLED),
            (400, "Replicated", PUT, RetryKind.TRANSIENT),
            (400, "Replicated", GET, None),
            (429, "No", PUT, None),
            (503, "No", PUT, RetryKind.TRANSIENT),
            (400, "RequestTimeout", GET, RetryKind.TRANSIENT),
            (501, "501", GET, None),
        ],
    )
    def test_follows_status_code_and_model(
        self, status: int, code: str, operation: Operation, retry_kind: RetryKind | None
    ) -> None:
        """What botocore's model of an operation says about an error counts too."""
        assert retry_kind_of(status, code, operation) is retry_kind


class TestWaits:
    def test_double_up_to_twenty_seconds(self) -> None:
        """The delay has an upper bound for any number of attempts."""
        attempts = rules(attempts=8).start()
        waits = [attempts.delay_after(THROTTLED) for _ in range(7)]

        assert waits == [1, 2, 4, 8, 16, 20, 20]

    def test_are_shortened_by_chance(self) -> None:
        """Two hosts that failed together do not come back together."""
        attempts = rules(rand=lambda: 0.5).start()

        assert attempts.delay_after(TIMEOUT) == 0.0125

    def test_are_written_to_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """A debug log tells which try has failed and when the next one is."""
        caplog.set_level(logging.DEBUG, "flask_pynamodb.curl")
        rules().start().delay_after(THROTTLED)

        assert caplog.messages == ["Attempt 1 failed, the next one is in 1.000 s"]


class TestDeadline:
    def test_ends_a_call_that_would_wait_past_it(self) -> None:
        """There is no retry past the deadline, and the quota is not charged."""
        quota = Quota()
        attempts = rules(deadline=0.5, quota=quota).start()

        assert attempts.delay_after(THROTTLED) is None
        assert described(attempts) == {"RetryAttempts": 0, "DeadlineReached": True}
        assert quota.left == 500

    def test_leaves_room_for_short_waits(self) -> None:
        """A deadline far away changes nothing."""
        attempts = rules(deadline=60.0).start()

        assert attempts.delay_after(TIMEOUT) == 0.025
        assert 0 < (attempts.seconds_left or 0) <= 60


class TestQuota:
    def test_ends_retries_when_it_is_empty(self) -> None:
        """In an outage a client sends 35 requests again, and after that each only once."""
        quota = Quota()
        outcomes = [rules(quota=quota).start().delay_after(TIMEOUT) for _ in range(36)]

        assert outcomes == [0.025] * 35 + [None]
        assert quota.left == 500 - 35 * 14

    def test_is_named_when_it_ends_a_call(self) -> None:
        """The metadata says why there were no more attempts."""
        attempts = rules(quota=Quota(4)).start()

        assert attempts.delay_after(THROTTLED) is None
        assert described(attempts) == {"RetryAttempts": 0, "RetryQuotaReached": True}

    def test_gets_back_what_the_last_retry_took(self) -> None:
        """A call that succeeds at last gives back its last cost only."""
        quota = Quota()
        attempts = rules(quota=quota).start()
        [attempts.delay_after(failure) for failure in (TIMEOUT, THROTTLED)]
        attempts.succeed()

        assert quota.left == 500 - 14

    def test_gets_one_back_for_each_first_try(self) -> None:
        """Success fills it up again, slowly and never too full."""
        quota = Quota()
        quota.take(2)
        [rules(quota=quota).start().succeed() for _ in range(3)]

        assert quota.left == 500


class TestHeader:
    def test_counts_tries(self) -> None:
        """The header has the number of the attempt and the maximum."""
        attempts = rules().start()
        first = attempts.header(30)
        attempts.delay_after(TIMEOUT)

        assert [first, attempts.header(30)] == ["attempt=1; max=4", "attempt=2; max=4"]

    def test_says_until_when_somebody_listens(self) -> None:
        """By the server's clock, as far as its last reply has told what that is."""
        attempts = rules().start()
        date = {"date": "Sun, 30 Aug 2015 12:36:00 GMT"}
        attempts.delay_after(Failure(RetryKind.TRANSIENT, {}, date))

        assert attempts.header(3600).startswith("ttl=20150830T133")
        assert attempts.header(3600).endswith("Z; attempt=2; max=4")

    @pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
    def test_says_nothing_about_a_clock_it_does_not_know(self, headers: dict[str, str]) -> None:
        """A reply without a date, or with a wrong one, is no clock."""
        attempts = rules().start()
        attempts.delay_after(Failure(RetryKind.TRANSIENT, {}, headers))

        assert attempts.header(30) == "attempt=2; max=4"

    def test_says_nothing_without_a_timeout(self) -> None:
        """Without a read timeout there is no expiry in the header."""
        attempts = rules().start()
        attempts.delay_after(
            Failure(RetryKind.TRANSIENT, {}, {"date": "Sun, 30 Aug 2015 12:36:00 GMT"})
        )

        assert attempts.header(None) == "attempt=2; max=4"
