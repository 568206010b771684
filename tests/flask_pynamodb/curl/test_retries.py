"""The rules of trying again, by themselves."""

import logging
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from flask_pynamodb.curl.operations import Operation
from flask_pynamodb.curl.retries import Failure, Hope, Quota, Retries, Tries, hope_after

GET = Operation("GetItem", "", frozenset(), {"ThrottlingException": None}, False)
PUT = Operation("PutItem", "", frozenset(), {"Busy": True, "Replicated": False, "No": None}, False)
TIMEOUT = Failure(Hope.TRANSIENT, ReadTimeoutError(endpoint_url="http://db.example"))
THROTTLED = Failure(Hope.THROTTLED, {"Error": {"Code": "ThrottlingException"}})


def rules(**changes: Any) -> Retries:
    settings: dict[str, Any] = {"tries": 4, "deadline": None, "quota": Quota(), "rand": lambda: 1.0}
    return Retries(**{**settings, **changes})


def described(tries: Tries) -> dict[str, Any]:
    """What the metadata says of them."""
    metadata: dict[str, Any] = {}
    tries.describe_in(metadata)
    return metadata


class TestHopeAfter:
    @pytest.mark.parametrize(
        ("status", "code", "operation", "hope"),
        [
            (400, "ThrottlingException", GET, Hope.THROTTLED),
            (429, "429", GET, Hope.THROTTLED),
            (400, "Busy", PUT, Hope.THROTTLED),
            (400, "Replicated", PUT, Hope.TRANSIENT),
            (400, "Replicated", GET, None),
            (429, "No", PUT, None),
            (503, "No", PUT, Hope.TRANSIENT),
            (400, "RequestTimeout", GET, Hope.TRANSIENT),
            (501, "501", GET, None),
        ],
    )
    def test_follows_status_code_and_model(
        self, status: int, code: str, operation: Operation, hope: Hope | None
    ) -> None:
        """What botocore's model of an operation says about an error counts too."""
        assert hope_after(status, code, operation) is hope


class TestWaits:
    def test_double_up_to_twenty_seconds(self) -> None:
        """However often a request is sent, nobody waits longer at a time."""
        tries = rules(tries=8).start()
        waits = [tries.wait_after(THROTTLED) for _ in range(7)]

        assert waits == [1, 2, 4, 8, 16, 20, 20]

    def test_are_shortened_by_chance(self) -> None:
        """Two hosts that failed together do not come back together."""
        tries = rules(rand=lambda: 0.5).start()

        assert tries.wait_after(TIMEOUT) == 0.0125

    def test_are_written_to_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        """A debug log tells which try has failed and when the next one is."""
        caplog.set_level(logging.DEBUG, "flask_pynamodb.curl")
        rules().start().wait_after(THROTTLED)

        assert caplog.messages == ["Try 1 has failed, the next one is in 1.000 s"]


class TestDeadline:
    def test_ends_a_call_that_would_wait_past_it(self) -> None:
        """Nobody waits for a try that would come too late, and nothing is paid for it."""
        quota = Quota()
        tries = rules(deadline=0.5, quota=quota).start()

        assert tries.wait_after(THROTTLED) is None
        assert described(tries) == {"RetryAttempts": 0, "DeadlineReached": True}
        assert quota.left == 500

    def test_leaves_room_for_short_waits(self) -> None:
        """A deadline far away changes nothing."""
        tries = rules(deadline=60.0).start()

        assert tries.wait_after(TIMEOUT) == 0.025
        assert 0 < (tries.seconds_left or 0) <= 60


class TestQuota:
    def test_ends_retries_when_it_is_empty(self) -> None:
        """In an outage a client sends 35 requests again, and after that each only once."""
        quota = Quota()
        outcomes = [rules(quota=quota).start().wait_after(TIMEOUT) for _ in range(36)]

        assert outcomes == [0.025] * 35 + [None]
        assert quota.left == 500 - 35 * 14

    def test_is_named_when_it_ends_a_call(self) -> None:
        """The metadata says why there were no more tries."""
        tries = rules(quota=Quota(4)).start()

        assert tries.wait_after(THROTTLED) is None
        assert described(tries) == {"RetryAttempts": 0, "RetryQuotaReached": True}

    def test_gets_back_what_the_last_retry_took(self) -> None:
        """A call that succeeds at last gives back its last price only."""
        quota = Quota()
        tries = rules(quota=quota).start()
        [tries.wait_after(failure) for failure in (TIMEOUT, THROTTLED)]
        tries.succeed()

        assert quota.left == 500 - 14

    def test_gets_one_back_for_each_first_try(self) -> None:
        """Success fills it up again, slowly and never too full."""
        quota = Quota()
        quota.take(2)
        [rules(quota=quota).start().succeed() for _ in range(3)]

        assert quota.left == 500


class TestHeader:
    def test_counts_tries(self) -> None:
        """The server is told which try of how many this is."""
        tries = rules().start()
        first = tries.header(30)
        tries.wait_after(TIMEOUT)

        assert [first, tries.header(30)] == ["attempt=1; max=4", "attempt=2; max=4"]

    def test_says_until_when_somebody_listens(self) -> None:
        """By the server's clock, as far as its last reply has told what that is."""
        tries = rules().start()
        date = {"date": "Sun, 30 Aug 2015 12:36:00 GMT"}
        tries.wait_after(Failure(Hope.TRANSIENT, {}, date))

        assert tries.header(3600).startswith("ttl=20150830T133")
        assert tries.header(3600).endswith("Z; attempt=2; max=4")

    @pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
    def test_says_nothing_about_a_clock_it_does_not_know(self, headers: dict[str, str]) -> None:
        """A reply without a date, or with a wrong one, is no clock."""
        tries = rules().start()
        tries.wait_after(Failure(Hope.TRANSIENT, {}, headers))

        assert tries.header(30) == "attempt=2; max=4"

    def test_says_nothing_without_a_timeout(self) -> None:
        """Who waits for ever has no end to tell."""
        tries = rules().start()
        tries.wait_after(Failure(Hope.TRANSIENT, {}, {"date": "Sun, 30 Aug 2015 12:36:00 GMT"}))

        assert tries.header(None) == "attempt=2; max=4"
