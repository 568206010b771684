"""Guesses that come at once, at several processes (CVE-2024-4629, CVE-2023-47111)."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.process_harness import Running, Stage

GUESSES = 50


class TestGuesses:
    def test_fifty_at_a_barrier(self, stage: Stage):
        """Workers count together: no more passwords are looked at than are allowed."""
        service = stage.serve()
        barrier = threading.Barrier(GUESSES)

        def guess(number: int) -> int:
            barrier.wait()
            body = {"login": "jane", "password": f"not the password, number {number}"}
            return service.call("POST", "/v1/sessions", body).status

        with ThreadPoolExecutor(GUESSES) as many:
            answers = Counter(many.map(guess, range(GUESSES)))
        # Those who came when too many waited for a hash (503) have used no try up.
        rest = [guess_once(service) for _ in range(FREE_ATTEMPTS - answers[401])]

        assert answers[401] <= FREE_ATTEMPTS
        assert sum(answers[status] for status in (401, 429, 503)) == GUESSES
        assert set(rest) <= {401}
        assert service.sign_in("jane").status == 429

    def test_unlock(self, stage: Stage):
        """An admin lets a user in again whom somebody has locked out."""
        service = stage.serve()
        for _ in range(FREE_ATTEMPTS):
            guess_once(service)
        admin = service.sign_in("john").body["token"]
        jane = service.call("GET", "/v1/users?username=jane", token=admin).body["items"][0]

        unlocked = service.call("DELETE", f"/v1/users/{jane['id']}/lock", token=admin)

        assert unlocked.status == 204
        assert service.sign_in("jane").status == 201


def guess_once(service: Running) -> int:
    """The status of one wrong sign-in."""
    body = {"login": "jane", "password": "not the password at all"}
    return service.call("POST", "/v1/sessions", body).status
