"""Rate limits: so many requests of a kind for each client, shared by all workers."""

import time

import pytest

from models import RateLimit, RateLimiter
from models.errors import TooManyRequests
from models.tables.rate_window import RateWindow

# A day, so that no test sees a window end.
POLICY = RateLimit("tests", quota=5, window=86_400)


class TestTake:
    def test_counts_down(self, context):
        """Each request returns the number of remaining requests."""
        limits = RateLimiter()

        assert [limits.take(POLICY, "ada").remaining for _ in range(5)] == [4, 3, 2, 1, 0]

    def test_used_up(self, context):
        """The one too many is refused, and told when there are others."""
        limits = RateLimiter()
        for _ in range(5):
            limits.take(POLICY, "ada")

        with pytest.raises(TooManyRequests) as caught:
            limits.take(POLICY, "ada")

        assert 1 <= caught.value.retry_after <= 86_400

    def test_others_go_on(self, context):
        """One client's quota is not another's, nor one kind another kind."""
        limits = RateLimiter()
        for _ in range(5):
            limits.take(POLICY, "ada")

        assert limits.take(POLICY, "eve").remaining == 4
        assert limits.take(RateLimit("others", 5, 86_400), "ada").remaining == 4

    def test_shared(self, context):
        """Two workers count together."""
        workers = [RateLimiter(), RateLimiter()]
        left = [workers[n % 2].take(POLICY, "ada").remaining for n in range(5)]

        assert left == [4, 3, 2, 1, 0]

    def test_parallel(self, context, run_concurrently):
        """Thirty at once: as many as the quota are granted."""
        limits = RateLimiter()
        outcomes = run_concurrently(*[lambda: limits.take(POLICY, "ada")] * 30)

        refused = [each for each in outcomes if isinstance(each, TooManyRequests)]
        assert len(refused) == 25

    def test_a_flood_is_not_counted(self, context):
        """Who is over the quota costs the store nothing more."""
        limits = RateLimiter()
        for _ in range(20):
            try:
                limits.take(POLICY, "ada")
            except TooManyRequests:
                continue

        (row,) = RateWindow.scan()
        assert row.requests == POLICY.quota + 1

    def test_rows_are_removed(self, context):
        """A window's row says when it may go."""
        RateLimiter().take(POLICY, "ada")

        (row,) = RateWindow.scan()
        assert row.remove_at is not None

    def test_window_ends(self, context):
        """With the next window there is a new quota."""
        limits = RateLimiter()
        short = RateLimit("short", quota=1, window=1)
        granted = 0
        for _ in range(40):
            try:
                limits.take(short, "ada")
                granted += 1
            except TooManyRequests as error:
                time.sleep(error.retry_after / 10)
            if granted == 2:
                break

        assert granted == 2
