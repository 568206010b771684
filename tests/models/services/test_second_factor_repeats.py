"""Repeating the confirmation of a second factor whose response was lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models import Actor, SecondFactors, Session, Totp, User
from models.clock import now
from models.errors import SecondFactorNotEnabled, TooManyAttempts, Unauthenticated
from models.services.second_factors import SecondFactor
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import CLIENT, PASSWORD

KEYS = ["a key that only tests have"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def second_factors(mailbox, clock: Clock) -> SecondFactors:
    return SecondFactors(Totp(KEYS, clock=clock), mailbox)


@pytest.fixture
def by(ada: User) -> Actor:
    return Actor(ada.id, "192.0.2.1")


@pytest.fixture
def session(make_sign_in: Any, ada: User) -> Session:
    """The session in which ada sets up her second factor."""
    return make_sign_in().sign_in("ada", PASSWORD, CLIENT)[0]


@pytest.fixture
def phone(second_factors: SecondFactors, ada: User, by: Actor, clock: Clock) -> Authenticator:
    """Ada's authenticator, with an unconfirmed secret."""
    return Authenticator(second_factors.enroll(ada, by).secret, clock)


@pytest.fixture
def otp(phone: Authenticator) -> str:
    """The code that confirms."""
    return phone.code()


@pytest.fixture
def codes(second_factors, ada, by, otp, session, mailbox) -> list[str]:
    """The recovery codes of the response that was lost."""
    codes = second_factors.confirm(ada, otp, by, session=session)
    mailbox.clear()
    return codes


@pytest.fixture
def repeat(second_factors, accounts, ada, by, session, otp) -> Callable[..., list[str]]:
    """Repeats the confirmation, as the session and the user are stored now."""

    def confirm(code: str = otp) -> list[str]:
        session.refresh(consistent_read=True)
        return second_factors.confirm(accounts.get(ada.id), code, by, session=session)

    return confirm


def types_of(user: User) -> list[str]:
    """The types of a user's events, in their order."""
    return [event.type for event in AuditEvent.query(user.id)]


class TestRepeat:
    def test_same_recovery_codes(self, codes, repeat, clock):
        """The repeated request shows the same codes, even when the code is no longer current."""
        clock.move(10)

        assert repeat() == codes

    def test_no_effect(self, codes, repeat, accounts, ada, mailbox):
        """Sessions go on, and there is neither another event nor another email."""
        epoch, types = accounts.get(ada.id).session_epoch, types_of(ada)
        for _ in range(20):
            repeat()

        assert accounts.get(ada.id).session_epoch == epoch
        assert types_of(ada) == types
        assert mailbox == []

    def test_recovery_codes_work(self, codes, repeat, make_sign_in):
        """The codes of a repeated response sign in."""
        assert make_sign_in().sign_in("ada", PASSWORD, CLIENT, repeat()[-1])

    def test_after_rekeying(self, codes, otp, mailbox, clock, accounts, ada, by, session):
        """The codes stay the same when the secret has been sealed with another key."""
        row, totp = SecondFactor.get(ada.id), Totp(["another key", *KEYS], clock=clock)
        row.update([SecondFactor.secret.set(totp.reseal(row.secret, ada.id))])
        session.refresh(consistent_read=True)

        again = SecondFactors(totp, mailbox).confirm(accounts.get(ada.id), otp, by, session=session)
        assert again == codes

    def test_other_enrollment(self, second_factors, accounts, ada, by, codes, session):
        """ASVS 6.5.3: another enrollment has other recovery codes."""
        session.refresh(consistent_read=True)
        second_factors.disable(accounts.get(ada.id), by, session=session)
        user, clock = accounts.get(ada.id), Clock(1_900_000_000)
        second_factors.totp.clock = clock
        phone = Authenticator(second_factors.enroll(user, by).secret, clock)

        assert set(second_factors.confirm(user, phone.code(), by)).isdisjoint(codes)


class TestReject:
    def test_another_code(self, codes, repeat, phone, accounts, ada):
        """A code that did not confirm is rejected and counts as a failed attempt."""
        with pytest.raises(SecondFactorNotEnabled):
            repeat(phone.code(1))

        assert accounts.get(ada.id).failed_attempts == 1
        assert types_of(ada)[-1] == "sign-in.failed"

    @pytest.mark.parametrize("code", ["", "000000", "\x00", "9" * 1000, "\u0661" * 6, "\ud800"])
    def test_malformed_code(self, codes, repeat, code):
        """Text that is not the code is rejected."""
        with pytest.raises(SecondFactorNotEnabled):
            repeat(code)

    def test_guesses(self, codes, repeat):
        """ASVS 6.3.1: a stolen session cannot be used to guess the code."""
        with pytest.raises(TooManyAttempts):
            for number in range(FREE_ATTEMPTS + 1):
                with pytest.raises(SecondFactorNotEnabled):
                    repeat(f"{number:06}")

    def test_other_session(
        self, codes, second_factors, accounts, ada, by, otp, phone, make_sign_in
    ):
        """A session that a recovery code opened cannot repeat it: a recovery code is used."""
        other = make_sign_in().sign_in("ada", PASSWORD, CLIENT, codes[0])[0]

        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(accounts.get(ada.id), otp, by, session=other)

    def test_without_session(self, codes, second_factors, accounts, ada, by, otp):
        """Only the session that stayed can repeat it."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(accounts.get(ada.id), otp, by)

    def test_later_code_was_used(self, codes, repeat, phone, make_sign_in):
        """After a sign-in with another code the first one shows nothing."""
        make_sign_in().sign_in("ada", PASSWORD, CLIENT, phone.code(1))

        with pytest.raises(SecondFactorNotEnabled):
            repeat()

    def test_renewed_codes(self, codes, repeat, second_factors, accounts, ada, by, session):
        """Renewed recovery codes are not shown again, nor are the replaced ones."""
        session.refresh(consistent_read=True)
        second_factors.renew_recovery_codes(accounts.get(ada.id), by, session=session)

        with pytest.raises(SecondFactorNotEnabled):
            repeat()

    def test_after_ten_minutes(self, codes, repeat, ada):
        """The codes are not shown again later than 10 minutes after the confirmation."""
        earlier = now() - timedelta(minutes=10, seconds=1)
        SecondFactor.get(ada.id).update([SecondFactor.confirmed_at.set(earlier)])

        with pytest.raises(SecondFactorNotEnabled):
            repeat()

    def test_ended_session(
        self, codes, second_factors, accounts, make_sign_in, ada, by, session, otp
    ):
        """ASVS 7.4.1: a user as read before its sessions were ended shows nothing."""
        stale = accounts.get(ada.id)
        session.refresh(consistent_read=True)
        make_sign_in().end_all(accounts.get(ada.id), by=by)

        with pytest.raises(Unauthenticated):
            second_factors.confirm(stale, otp, by, session=session)

    def test_enrollment_of_0_6(self, second_factors, accounts, ada, by, phone, session, otp):
        """An enrollment without an ID has random recovery codes, which are shown once."""
        SecondFactor.get(ada.id).update([SecondFactor.enrollment_id.remove()])
        codes = second_factors.confirm(ada, otp, by, session=session)
        session.refresh(consistent_read=True)

        assert len(codes) == 10
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(accounts.get(ada.id), otp, by, session=session)
