"""Second factors when DynamoDB or the way to it misbehaves."""

from collections.abc import Callable

import pytest

from flask_pynamodb import is_unavailable
from models import Actor, SecondFactors, Session, Totp, User
from models.errors import SecondFactorCodeRequired, SecondFactorNotEnabled
from models.services.second_factors import SecondFactor
from models.tables.audit_event import AuditEvent
from tests.support.authenticator import Authenticator, Clock
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    in_progress,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)
from tests.support.person import CLIENT, PASSWORD

WRITE = "TransactWriteItems"
# Whether or not the first try was carried out, the second one has to end well.
ONCE = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity, conflicted]
NEVER_DONE = [lost_request, failed, throttled, over_capacity, conflicted, in_progress]
DONE_UNSEEN = [lost_reply, failed_afterwards]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def second_factors(mailbox, clock: Clock) -> SecondFactors:
    return SecondFactors(Totp(["a key that only tests have"], clock=clock), mailbox)


@pytest.fixture
def by(ada: User) -> Actor:
    return Actor(ada.id, "192.0.2.1")


@pytest.fixture
def phone(second_factors: SecondFactors, ada: User, by: Actor, clock: Clock) -> Authenticator:
    """Ada's authenticator; it has learned a secret that is not confirmed yet."""
    return Authenticator(second_factors.enroll(ada, by).secret, clock)


@pytest.fixture
def codes(second_factors: SecondFactors, ada: User, by: Actor, phone, mailbox) -> list[str]:
    """Ada's recovery codes: she has a second factor, and has just used a code of the phone's."""
    codes = second_factors.confirm(ada, phone.code(), by)
    mailbox.clear()
    return codes


@pytest.fixture
def enter(make_sign_in) -> Callable[..., Session]:
    """Signs ada in with a code, and returns the session."""
    sign_in = make_sign_in()
    return lambda otp=None: sign_in.sign_in("ada", PASSWORD, CLIENT, otp)[0]


def count_of(type: str, user: User) -> int:
    """How often something has happened to a user."""
    return [event.type for event in AuditEvent.query(user.id)].count(type)


@pytest.mark.parametrize("fault", ONCE)
class TestOnce:
    """Each operation is carried out exactly once although its first try went wrong."""

    def test_enrol(self, proxy, second_factors, ada, by, clock, fault):
        """The secret that the user is shown is the one that is stored."""
        proxy.next(WRITE, fault)
        phone = Authenticator(second_factors.enroll(ada, by).secret, clock)

        assert proxy.count(WRITE) == 3
        assert second_factors.confirm(ada, phone.code(), by)
        assert count_of("second-factor.enrolled", ada) == 1

    def test_confirm(self, proxy, second_factors, mailbox, ada, by, phone, enter, fault):
        """The recovery codes that the user is shown work, and there are no others."""
        proxy.next(WRITE, fault)
        codes = second_factors.confirm(ada, phone.code(), by)

        assert [bool(enter(code)) for code in codes] == [True] * 10
        assert count_of("second-factor.enabled", ada) == 1
        assert mailbox[0].kind == "second-factor-enabled"

    def test_renew(self, proxy, second_factors, ada, by, codes, enter, fault):
        """The new codes that the user is shown work, and the old ones do not."""
        proxy.next(WRITE, fault)
        new = second_factors.renew_recovery_codes(ada, by)

        assert [bool(enter(code)) for code in new] == [True] * 10
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0])
        assert count_of("recovery-codes.renewed", ada) == 1

    def test_disable(self, proxy, second_factors, mailbox, ada, by, codes, enter, fault):
        """The call does not fail with "no second factor", and one email is sent."""
        proxy.next(WRITE, fault)
        second_factors.disable(ada, by)

        assert enter()
        assert count_of("second-factor.disabled", ada) == 1
        assert [mail.kind for mail in mailbox] == ["second-factor-disabled"]

    def test_spend(self, proxy, ada, phone, codes, enter, fault):
        """ASVS 6.5.1: the sign-in creates one session, and the code is used up."""
        proxy.next(WRITE, fault)
        enter(phone.code(1))

        assert len(list(Session.query(ada.id))) == 1
        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(1))

    def test_spend_a_recovery_code(self, proxy, mailbox, ada, codes, enter, fault):
        """ASVS 6.5.1: one code is spent, not two, and one mail tells of it."""
        proxy.next(WRITE, fault)
        enter(codes[0])

        assert len(SecondFactor.get(ada.id).recovery_digests) == 9
        assert [mail.detail for mail in mailbox] == ["9"]
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0])


class TestForEver:
    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_confirm(self, proxy, second_factors, accounts, mailbox, ada, by, phone, fault):
        """Where nothing could be written nothing is on, and the same code can be sent again."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            second_factors.confirm(ada, phone.code(), by)
        proxy.behave()

        assert is_unavailable(caught.value)
        assert not accounts.get(ada.id).has_second_factor
        assert mailbox == []
        assert second_factors.confirm(ada, phone.code(), by)

    @pytest.mark.parametrize("fault", DONE_UNSEEN)
    def test_confirmed_unseen(self, proxy, second_factors, ada, by, phone, enter, fault):
        """Who never saw the recovery codes, since every reply got lost, gets others."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            second_factors.confirm(ada, phone.code(), by)
        proxy.behave()

        assert is_unavailable(caught.value)
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(ada, phone.code(1), by)
        assert enter(second_factors.renew_recovery_codes(User.get(ada.id), by)[0])

    @pytest.mark.parametrize("fault", DONE_UNSEEN)
    def test_spent_unseen(self, proxy, phone, codes, enter, fault):
        """ASVS 6.5.1: a code whose sign-in was never answered is spent all the same."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            enter(phone.code(1))
        proxy.behave()

        assert is_unavailable(caught.value)
        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(1))

    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_sign_in(self, proxy, ada, codes, enter, fault):
        """A sign-in that could not be written spends no code."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            enter(codes[0])
        proxy.behave()

        assert is_unavailable(caught.value)
        assert list(Session.query(ada.id)) == []
        assert enter(codes[0])

    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_disable(self, proxy, second_factors, mailbox, ada, by, codes, enter, fault):
        """If nothing could be written, the second factor stays on, and no email is sent."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            second_factors.disable(ada, by)
        proxy.behave()

        assert is_unavailable(caught.value)
        assert mailbox == []
        with pytest.raises(SecondFactorCodeRequired):
            enter()

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_reads(self, proxy, second_factors, accounts, ada, codes, fault):
        """ASVS 16.5.3: a second factor that cannot be read is not one that does not exist."""
        user = accounts.get(ada.id)
        proxy.always("GetItem", fault)

        with pytest.raises(Exception) as caught:
            second_factors.verify(user, codes[0])

        assert is_unavailable(caught.value)
        assert not isinstance(caught.value, SecondFactorCodeRequired)
