"""Concurrent attempts at several processes (CVE-2024-4629, CVE-2023-47111)."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.process_harness import ProcessHarness, Running

IS_COVERED = False
ATTEMPTS = 50


class TestConcurrentAttempts:
    def test_fifty_at_a_barrier(self, harness: ProcessHarness):
        """Workers share one counter: no more passwords are verified than allowed."""
        service = harness.serve()
        barrier = threading.Barrier(ATTEMPTS)

        def attempt(number: int) -> int:
            barrier.wait()
            body = {"login": "jane", "password": f"not the password, number {number}"}
            return service.call("POST", "/v1/sessions", body).status

        with ThreadPoolExecutor(ATTEMPTS) as pool:
            statuses = Counter(pool.map(attempt, range(ATTEMPTS)))
        # Requests rejected because the hash queue was full (503) do not count as attempts.
        remaining = [attempt_once(service) for _ in range(FREE_ATTEMPTS - statuses[401])]

        assert statuses[401] <= FREE_ATTEMPTS
        assert sum(statuses[status] for status in (401, 429, 503)) == ATTEMPTS
        assert set(remaining) <= {401}
        assert service.sign_in("jane").status == 429

    def test_unlock(self, harness: ProcessHarness):
        """An admin unlocks a user that failed attempts have locked."""
        service = harness.serve()
        for _ in range(FREE_ATTEMPTS):
            attempt_once(service)
        admin = service.sign_in("john").body["token"]
        jane = service.call("GET", "/v1/users?username=jane", token=admin).body["items"][0]

        unlocked = service.call("DELETE", f"/v1/users/{jane['id']}/lock", token=admin)

        assert unlocked.status == 204
        assert service.sign_in("jane").status == 201


def attempt_once(service: Running) -> int:
    """Return the status of one attempt with a wrong password."""
    body = {"login": "jane", "password": "not the password at all"}
    return service.call("POST", "/v1/sessions", body).status
