"""The numbers of the statistics when processes stop."""

from tests.support.process_harness import ProcessHarness, Running


def sign_ins(service: Running, token: str) -> int:
    """Return the sign-ins of today and yesterday, in case that midnight has passed."""
    days = service.call("GET", "/v1/statistics?days=2", token=token).body["days"]
    return sum(day["sign_ins"] for day in days)


class TestStop:
    def test_clean_stop(self, harness: ProcessHarness):
        """What each worker has counted just before a clean stop is counted after the restart."""
        service = harness.serve()
        token = service.token_of("john")
        statuses = [service.sign_in("jane").status for _ in range(12)]
        stopped = service.stop()
        restarted = harness.serve()

        assert (statuses, stopped) == ([201] * 12, 0)
        assert sign_ins(restarted, token) == 1 + 12

    def test_command(self, harness: ProcessHarness):
        """A command counts the user that it creates before it ends."""
        service = harness.serve()
        token = service.token_of("john")
        before = service.call("GET", "/v1/statistics?days=2", token=token).body["days"]
        arguments = ("users", "--local", "--data", str(harness.data), "create")
        status, _ = harness.run_forked(*arguments, "ada", "ada@example.com", "--no-password")
        after = service.call("GET", "/v1/statistics?days=2", token=token).body["days"]

        assert status == 0
        assert sum(day["sign_ups"] for day in after) == 1 + sum(day["sign_ups"] for day in before)
