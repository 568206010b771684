"""Tries to sign in: counted before the password is looked at (CVE-2024-4629, CVE-2023-47111)."""

from datetime import timedelta

import pytest

from models import User
from models.clock import now
from models.errors import InvalidCredentials, TooManyAttempts
from models.tables.login_attempts import (
    ATTEMPTS_FORGOTTEN_AFTER,
    FIRST_WAIT,
    FREE_ATTEMPTS,
    LONGEST_WAIT,
    MAX_CONSECUTIVE_FAILURES,
    Attempts,
    reserve,
    wait_after,
)
from tests.support.person import CLIENT, PASSWORD

WRONG = "not the password at all"


@pytest.fixture
def row(context):
    return Attempts("somebody")


@pytest.fixture
def tried(row):
    """Makes it so that the last of so many tries was some time ago."""

    def make(tries, ago):
        reserve(row)
        row.update([Attempts.failed_attempts.set(tries), Attempts.last_attempt_at.set(now() - ago)])
        return row

    return make


class TestWait:
    @pytest.mark.parametrize(
        "tries, wait",
        [
            (0, timedelta(0)),
            (FREE_ATTEMPTS - 1, timedelta(0)),
            (FREE_ATTEMPTS, FIRST_WAIT),
            (FREE_ATTEMPTS + 1, 2 * FIRST_WAIT),
            (FREE_ATTEMPTS + 4, 16 * FIRST_WAIT),
            (FREE_ATTEMPTS + 5, LONGEST_WAIT),
            (MAX_CONSECUTIVE_FAILURES - 1, LONGEST_WAIT),
            (MAX_CONSECUTIVE_FAILURES, ATTEMPTS_FORGOTTEN_AFTER),
            (10 * MAX_CONSECUTIVE_FAILURES, ATTEMPTS_FORGOTTEN_AFTER),
        ],
    )
    def test_grows(self, tries, wait):
        """Some tries are free, then waits double, and after NIST's hundred there is no other."""
        assert wait_after(tries) == wait

    def test_nist(self):
        """NIST SP 800-63B-4: at most 100 consecutive failures for one account."""
        assert MAX_CONSECUTIVE_FAILURES == 100


class TestReserve:
    def test_free(self, row):
        """The free tries are granted one after the other, each counted once."""
        for _ in range(FREE_ATTEMPTS):
            reserve(row)

        assert Attempts.get("somebody").failed_attempts == FREE_ATTEMPTS

    def test_one_too_many(self, row):
        """The next attempt is rejected with the remaining time."""
        for _ in range(FREE_ATTEMPTS):
            reserve(row)

        with pytest.raises(TooManyAttempts) as caught:
            reserve(row)

        assert caught.value.retry_after == FIRST_WAIT.total_seconds()
        assert Attempts.get("somebody").failed_attempts == FREE_ATTEMPTS

    def test_after_the_wait(self, tried):
        """After the wait one more is granted, and then the wait is longer."""
        row = tried(FREE_ATTEMPTS, FIRST_WAIT)
        reserve(row)

        with pytest.raises(TooManyAttempts) as caught:
            reserve(row)

        assert row.failed_attempts == FREE_ATTEMPTS + 1
        assert caught.value.retry_after == 2 * FIRST_WAIT.total_seconds()

    def test_before_the_wait_is_over(self, tried):
        """A second earlier none is granted, and asking does not make the wait longer."""
        row = tried(FREE_ATTEMPTS, FIRST_WAIT - timedelta(seconds=1))

        for _ in range(3):
            with pytest.raises(TooManyAttempts) as caught:
                reserve(row)

        assert caught.value.retry_after == 1

    def test_most(self, tried):
        """After a hundred failures no wait is long enough, short of a month."""
        row = tried(MAX_CONSECUTIVE_FAILURES, timedelta(days=29))

        with pytest.raises(TooManyAttempts):
            reserve(row)

    def test_forgotten(self, tried):
        """After a month without an attempt the count is reset."""
        row = tried(MAX_CONSECUTIVE_FAILURES, ATTEMPTS_FORGOTTEN_AFTER)
        reserve(row)

        assert row.failed_attempts == 1

    def test_parallel(self, run_concurrently, row):
        """Fifty at once: exactly the free ones are granted."""
        outcomes = run_concurrently(*[lambda: reserve(Attempts("somebody"))] * 50)

        refused = [each for each in outcomes if isinstance(each, TooManyAttempts)]
        assert (outcomes.count(None), len(refused)) == (FREE_ATTEMPTS, 50 - FREE_ATTEMPTS)
        assert Attempts.get("somebody").failed_attempts == FREE_ATTEMPTS

    def test_parallel_after_the_wait(self, run_concurrently, tried):
        """Twenty at the moment at which a wait ends: one is granted."""
        tried(FREE_ATTEMPTS, FIRST_WAIT)
        outcomes = run_concurrently(*[lambda: reserve(Attempts("somebody"))] * 20)

        assert outcomes.count(None) == 1
        assert Attempts.get("somebody").failed_attempts == FREE_ATTEMPTS + 1

    def test_deleted_user(self, context, accounts, register):
        """Trying brings no part of a deleted user back."""
        ada = register("ada")
        accounts.delete(ada)

        with pytest.raises(User.DoesNotExist):
            reserve(User(ada.id), User.id.exists())

        assert list(User.scan()) == []


class TestSignIn:
    @pytest.mark.parametrize("login", ["ada", "ada@example.com"])
    def test_fifty_guesses_at_once(self, run_concurrently, sign_in, register, hashes, login):
        """However many guess at once, no more passwords are looked at than are allowed."""
        register("ada")
        hashes.clear()
        outcomes = run_concurrently(*[lambda: sign_in.sign_in(login, WRONG, CLIENT)] * 50)

        wrong = [each for each in outcomes if isinstance(each, InvalidCredentials)]
        locked = [each for each in outcomes if isinstance(each, TooManyAttempts)]
        assert (len(wrong), len(locked)) == (FREE_ATTEMPTS, 50 - FREE_ATTEMPTS)
        assert hashes == ["verify_secret"] * FREE_ATTEMPTS

    def test_fifty_guesses_at_an_unknown_login(self, run_concurrently, sign_in, context, hashes):
        """An unknown login is locked out in the same way (ASVS 6.3.8)."""
        hashes.clear()
        outcomes = run_concurrently(*[lambda: sign_in.sign_in("nobody", WRONG, CLIENT)] * 50)

        wrong = [each for each in outcomes if isinstance(each, InvalidCredentials)]
        assert len(wrong) == FREE_ATTEMPTS
        assert hashes == ["verify_secret"] * FREE_ATTEMPTS

    def test_one_count_for_both_names(self, sign_in, register):
        """User name and address lead to one account, and to one count."""
        register("ada")
        for login in ["ada", "ada@example.com"] * (FREE_ATTEMPTS // 2):
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in(login, WRONG, CLIENT)

        for login in ("ada", "ADA", "ada@example.com"):
            with pytest.raises(TooManyAttempts):
                sign_in.sign_in(login, PASSWORD, CLIENT)

    def test_right_password_during_a_lock(self, sign_in, register):
        """The right password is refused like a wrong one: no lock can be guessed through."""
        register("ada")
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)

        refusals = set()
        for password in (PASSWORD, WRONG):
            with pytest.raises(TooManyAttempts) as caught:
                sign_in.sign_in("ada", password, CLIENT)
            refusals.add(type(caught.value))

        assert refusals == {TooManyAttempts}

    def test_success_ends_the_count(self, sign_in, register):
        """A sign-in resets the attempts."""
        ada = register("ada")
        for _ in range(FREE_ATTEMPTS - 1):
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)
        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert User.get(ada.id).failed_attempts is None

    def test_living_sessions_go_on(self, sign_in, register):
        """A lockout does not affect existing sessions."""
        register("ada")
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)

        assert sign_in.authenticate(token)

    def test_unknown_login_is_kept_as_a_digest(self, sign_in, context):
        """What was typed as a login, perhaps a password, is in no table."""
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("my secret password", WRONG, CLIENT)

        (row,) = Attempts.scan()
        assert "secret" not in row.subject
        assert row.remove_at > now()

    def test_a_change_loses_no_tries(self, sign_in, accounts, register):
        """A change of the account does not reset the count."""
        ada = register("ada")
        for _ in range(3):
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)
        accounts.update(ada, {"full_name": "Ada"})

        assert User.get(ada.id).failed_attempts == 3
