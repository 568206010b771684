"""Second factors: set up, confirmed, asked for at sign-in, renewed, turned off."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pynamodb.signals import pre_dynamodb_send

from models import (
    Actor,
    EmailKind,
    OpenedSession,
    SecondFactors,
    SecondFactorStatus,
    Session,
    Totp,
    User,
    db,
)
from models.errors import (
    InvalidCredentials,
    InvalidField,
    SecondFactorAlreadyEnabled,
    SecondFactorCodeRequired,
    SecondFactorNotEnabled,
    Unauthenticated,
    UserNotFound,
)
from models.services.second_factors import SecondFactor
from models.tables.audit_event import AuditEvent
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
def phone(second_factors: SecondFactors, ada: User, by: Actor, clock: Clock) -> Authenticator:
    """Ada's authenticator; it has learned a secret that is not confirmed yet."""
    return Authenticator(second_factors.enroll(ada, by).secret, clock)


@pytest.fixture
def codes(second_factors: SecondFactors, ada: User, by: Actor, phone, clock, mailbox) -> list[str]:
    """Ada's recovery codes: she has a second factor, and has just used a code of the phone's."""
    codes = second_factors.confirm(ada, phone.code(), by)
    mailbox.clear()
    return codes


@pytest.fixture
def enter(make_sign_in: Any) -> Callable[..., Session]:
    """Signs ada in with a code, and returns the session."""
    sign_in = make_sign_in()
    return lambda otp=None, login="ada": sign_in.sign_in(login, PASSWORD, CLIENT, otp)[0]


@pytest.fixture
def run_concurrently(database) -> Callable[..., Counter[type]]:
    """Does everything at the same moment and tells how many ended in which way."""

    def run_all(*actions: Callable[[], Any]) -> Counter[type]:
        barrier = threading.Barrier(len(actions), timeout=30)

        def run(action: Callable[[], Any]) -> type:
            with database.context():
                barrier.wait()
                try:
                    return type(action())
                except Exception as error:
                    return type(error)

        with ThreadPoolExecutor(len(actions)) as pool:
            return Counter(pool.map(run, actions))

    return run_all


def types_of(user: User) -> list[str]:
    """What has happened to a user, in order."""
    return [event.type for event in AuditEvent.query(user.id)]


def everything_stored() -> str:
    """All that the tables of these tests hold."""
    rows = [
        row.attribute_values for model in (User, SecondFactor, AuditEvent) for row in model.scan()
    ]
    return str(rows)


class TestEnrol:
    def test_nothing_is_asked_yet(self, second_factors, ada, phone, enter):
        """An unconfirmed second factor is not required at sign-in."""
        assert enter()
        assert second_factors.status(ada) == SecondFactorStatus(None, 0)
        assert not second_factors.status(ada).enabled

    def test_secret_is_encrypted(self, second_factors, ada, by):
        """ASVS 13.3.1: the tables hold the secret encrypted, and events do not hold it at all."""
        made = second_factors.enroll(ada, by)

        assert made.secret not in everything_stored()
        assert made.secret not in repr(SecondFactor.get(ada.id))
        assert SecondFactor.get(ada.id).secret == made.stored

    def test_again(self, second_factors, ada, by, phone, clock):
        """Who begins again gets another secret, and the first one counts for nothing."""
        other = Authenticator(second_factors.enroll(ada, by).secret, clock)

        with pytest.raises(InvalidField):
            second_factors.confirm(ada, phone.code(), by)
        assert second_factors.confirm(ada, other.code(), by)

    def test_there_is_one(self, second_factors, ada, by, phone, codes, enter):
        """An active second factor is not replaced: its codes stay valid."""
        with pytest.raises(SecondFactorAlreadyEnabled):
            second_factors.enroll(ada, by)

        assert enter(phone.code(1))

    def test_event(self, ada, phone):
        """The event says who began it, and from where."""
        *_, event = AuditEvent.query(ada.id)

        assert event.type == "second-factor.enrolled"
        assert (event.actor_id, event.ip) == (ada.id, "192.0.2.1")

    def test_sessions_were_ended(self, second_factors, make_sign_in, ada, by):
        """ASVS 7.4.1: who ends the sessions of a stolen account finds no secret of the thief's."""
        make_sign_in().end_all(ada, by=by)

        with pytest.raises(Unauthenticated):
            second_factors.enroll(ada, by)
        assert list(SecondFactor.scan()) == []

    def test_user_is_gone(self, second_factors, accounts, ada, by):
        """A deleted user gets no row."""
        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            second_factors.enroll(ada, by)
        assert list(SecondFactor.scan()) == []


class TestConfirm:
    def test_code_is_asked_for(self, accounts, ada, codes, enter):
        """After confirmation the password alone is not sufficient."""
        with pytest.raises(SecondFactorCodeRequired):
            enter()

        assert accounts.get(ada.id).has_second_factor

    def test_status(self, second_factors, accounts, ada, codes):
        """The status says since when, and that no recovery code is used."""
        status = second_factors.status(accounts.get(ada.id))

        assert status.enabled
        assert status.enabled_at == SecondFactor.get(ada.id).confirmed_at
        assert status.recovery_codes_left == 10

    def test_recovery_codes_are_not_stored(self, codes):
        """ASVS 6.5.2: of recovery codes the tables hold digests."""
        stored = everything_stored()

        assert len(codes) == 10
        assert [code for code in codes if code in stored or code.replace("-", "") in stored] == []

    def test_first_code_is_spent(self, phone, codes, enter):
        """ASVS 6.5.1: the code used for confirmation, and earlier ones, cannot sign in."""
        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code())
        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(-1))

        assert enter(phone.code(1))

    @pytest.mark.parametrize("otp", ["", "000000", "abcdef", "\x00", "9" * 1000, "\ud800"])
    def test_wrong_code(self, second_factors, accounts, ada, by, phone, otp):
        """A wrong code turns nothing on, and the answer names it."""
        with pytest.raises(InvalidField) as caught:
            second_factors.confirm(ada, otp, by)

        assert caught.value.field == "otp"
        assert not accounts.get(ada.id).has_second_factor

    def test_nothing_waits(self, second_factors, ada, by):
        """Confirmation without a started setup is rejected."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(ada, "123456", by)

    def test_twice(self, second_factors, ada, by, phone, codes, enter):
        """Who confirms twice gets no second set of codes, and keeps the first."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.confirm(ada, phone.code(1), by)

        assert enter(codes[0])

    def test_at_once(self, run_concurrently, second_factors, ada, by, phone):
        """Of twenty who confirm with one code one gets recovery codes."""
        outcomes = run_concurrently(*[lambda: second_factors.confirm(ada, phone.code(), by)] * 20)

        assert outcomes == {list: 1, SecondFactorNotEnabled: 19}
        assert types_of(ada).count("second-factor.enabled") == 1

    def test_against_enrol(self, run_concurrently, second_factors, accounts, ada, by, phone):
        """Confirming and beginning again at once leave no secret turned on unconfirmed."""
        run_concurrently(
            lambda: second_factors.confirm(ada, phone.code(), by),
            *[lambda: second_factors.enroll(ada, by)] * 5,
        )

        row = SecondFactor.get(ada.id)
        assert accounts.get(ada.id).has_second_factor is bool(row.confirmed_at)
        assert bool(row.recovery_digests) is bool(row.confirmed_at)

    def test_sessions_were_ended(self, second_factors, accounts, make_sign_in, ada, by, phone):
        """ASVS 7.4.1: a thief whose session has ended turns nothing on."""
        make_sign_in().end_all(ada, by=by)

        with pytest.raises(Unauthenticated):
            second_factors.confirm(ada, phone.code(), by)
        assert not accounts.get(ada.id).has_second_factor
        assert SecondFactor.get(ada.id).confirmed_at is None

    def test_mail_and_event(self, second_factors, mailbox, ada, by, phone):
        """ASVS 6.3.7: the user is notified by an email without a code."""
        codes = second_factors.confirm(ada, phone.code(), by)

        assert [(mail.kind, mail.to) for mail in mailbox] == [
            (EmailKind.SECOND_FACTOR_ENABLED, "ada@example.com")
        ]
        assert [code for code in codes if code in str(vars(mailbox[0]))] == []
        assert types_of(ada)[-1] == "second-factor.enabled"

    def test_version(self, accounts, ada, codes):
        """What editors have read stays current: nothing that they see has changed."""
        assert accounts.get(ada.id).version == ada.version


class TestSignIn:
    def test_code(self, phone, codes, clock, enter):
        """A code of the authenticator signs in, time after time a new one."""
        clock.move(1)
        assert enter(phone.code())
        clock.move(1)
        assert enter(phone.code())

    def test_code_twice(self, phone, codes, clock, enter):
        """ASVS 6.5.1: a code signs in once, even while the authenticator still shows it."""
        clock.move(2)
        enter(phone.code())

        with pytest.raises(SecondFactorCodeRequired, match="used before"):
            enter(phone.code())

    def test_earlier_code(self, phone, codes, clock, enter):
        """ASVS 6.5.1: after a code, one that was shown before it does not count either."""
        clock.move(2)
        enter(phone.code())

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(-1))

    def test_old_code(self, phone, codes, clock, enter):
        """ASVS 6.5.5: a code of two time steps ago is rejected."""
        clock.move(5)

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(-2))

    @pytest.mark.parametrize("otp", [None, ""])
    def test_missing(self, codes, enter, otp):
        """A sign-in without a code is asked for one."""
        with pytest.raises(SecondFactorCodeRequired, match="Send the code"):
            enter(otp)

    @pytest.mark.parametrize("otp", ["000000", "abcdef", "a" * 24, "\x00", "9" * 1000, "\ud800"])
    def test_wrong(self, codes, enter, otp):
        """Whatever else is sent is a wrong code, and no error."""
        with pytest.raises(SecondFactorCodeRequired, match="wrong"):
            enter(otp)

    def test_password_comes_first(self, make_sign_in, phone, codes):
        """ASVS 6.3.8: who does not know the password never learns that there is a second factor."""
        with pytest.raises(InvalidCredentials):
            make_sign_in().sign_in("ada", "not the password at all", CLIENT, phone.code(1))

    def test_wrong_password_spends_nothing(self, make_sign_in, phone, codes, enter):
        """A code that came with a wrong password still counts."""
        with pytest.raises(InvalidCredentials):
            make_sign_in().sign_in("ada", "not the password at all", CLIENT, phone.code(1))

        assert enter(phone.code(1))

    def test_after_reset_of_the_password(self, accounts, ada, codes, enter):
        """ASVS 6.4.3: a new password turns no second factor off."""
        ada = accounts.get(ada.id)
        ada.update([User.session_epoch.add(1)])

        with pytest.raises(SecondFactorCodeRequired):
            enter()

    def test_code_of_another_user(self, second_factors, register, clock, codes, enter):
        """The code of one user is none of another."""
        eve = register("eve")
        phone = Authenticator(second_factors.enroll(eve, Actor(eve.id)).secret, clock)
        theirs = second_factors.confirm(eve, phone.code(), Actor(eve.id))

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(1))
        with pytest.raises(SecondFactorCodeRequired):
            enter(theirs[0])

    def test_costs_nothing_without(self, second_factors, ada):
        """Without a second factor the code is ignored, and no row is read."""
        calls: list[str] = []

        def note(sender: Any, operation_name: str, **_: Any) -> None:
            calls.append(operation_name)

        with pre_dynamodb_send.connected_to(note):
            proof = second_factors.verify(ada, "123456")

        assert proof is None
        assert calls == []

    def test_flag_without_row(self, ada, enter):
        """ASVS 16.5.3: if the row is missing, the password alone is not sufficient."""
        ada.update([User.has_second_factor.set(True)])

        with pytest.raises(SecondFactorCodeRequired):
            enter("123456")

    def test_flag_with_unconfirmed_row(self, ada, phone, enter):
        """ASVS 16.5.3: a secret that was never confirmed proves nothing."""
        ada.update([User.has_second_factor.set(True)])

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code())

    def test_repr(self, second_factors, accounts, ada, phone, codes):
        """ASVS 16.2.5: neither a code nor a digest stands in the repr of a proof."""
        proof = second_factors.verify(accounts.get(ada.id), codes[0])
        stored = SecondFactor.get(ada.id)

        assert codes[0] not in repr(proof)
        assert stored.secret not in repr(proof)
        assert [digest for digest in stored.recovery_digests if digest in repr(proof)] == []


class TestRecovery:
    def test_instead_of_the_phone(self, second_factors, accounts, ada, codes, enter):
        """A recovery code signs in, and one fewer is left."""
        enter(codes[0])

        assert second_factors.status(accounts.get(ada.id)).recovery_codes_left == 9

    def test_as_it_is_typed(self, codes, enter):
        """Case and gaps do not count."""
        assert enter(codes[0].upper())
        assert enter(codes[1].replace("-", " "))
        assert enter(codes[2].replace("-", ""))

    def test_twice(self, codes, enter):
        """ASVS 6.5.1: a recovery code signs in once, in whatever form it comes again."""
        enter(codes[0])

        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0])
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0].upper().replace("-", ""))

    def test_all_of_them(self, second_factors, accounts, ada, codes, phone, enter):
        """Ten recovery codes sign in ten times; TOTP codes stay valid."""
        for code in codes:
            enter(code)

        assert second_factors.status(accounts.get(ada.id)).recovery_codes_left == 0
        assert enter(phone.code(1))
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[9])

    def test_mail(self, mailbox, codes, enter):
        """ASVS 6.3.7: the user is notified of a used code and the number of remaining ones."""
        enter(codes[0])

        assert [(mail.kind, mail.to, mail.detail) for mail in mailbox] == [
            (EmailKind.RECOVERY_CODE_USED, "ada@example.com", "9")
        ]

    def test_no_mail(self, mailbox, codes, phone, enter):
        """A code of the phone is nothing to tell of."""
        enter(phone.code(1))

        assert mailbox == []


class TestEvent:
    def test_totp(self, phone, codes, clock, enter, ada):
        """M8: the event of a sign-in says that a TOTP code was verified (ASVS 16.3.1)."""
        clock.move(1)
        enter(phone.code())

        assert _factors_of_last_event(ada) == ("session.opened", ["pwd", "otp"], "totp")

    def test_recovery_code(self, codes, enter, ada):
        """M8: the event of a sign-in says that a recovery code was used instead."""
        enter(codes[0])

        assert _factors_of_last_event(ada) == ("session.opened", ["pwd", "otp"], "recovery-code")


def _factors_of_last_event(user: User) -> tuple[str, list[str], str | None]:
    *_, event = AuditEvent.query(user.id)
    return event.type, event.amr, event.second_factor


class TestRaces:
    def test_one_code(self, run_concurrently, second_factors, accounts, ada, phone, codes):
        """ASVS 15.4.2: of twenty who bring one code at once one gets through."""
        user = accounts.get(ada.id)
        outcomes = run_concurrently(*[lambda: _spend(second_factors, user, phone.code(1))] * 20)

        assert outcomes == {type(None): 1, SecondFactorCodeRequired: 19}

    def test_one_recovery_code(self, run_concurrently, second_factors, accounts, ada, codes):
        """ASVS 15.4.2: of twenty who bring one recovery code at once one gets through."""
        user = accounts.get(ada.id)
        outcomes = run_concurrently(*[lambda: _spend(second_factors, user, codes[0])] * 20)

        assert outcomes == {type(None): 1, SecondFactorCodeRequired: 19}
        assert second_factors.status(user).recovery_codes_left == 9

    def test_ten_recovery_codes(self, run_concurrently, second_factors, accounts, ada, codes):
        """Ten codes at once are ten codes: none is lost, and none is left."""
        user = accounts.get(ada.id)
        outcomes = run_concurrently(*(lambda c=c: _spend(second_factors, user, c) for c in codes))

        assert outcomes == {type(None): 10}
        assert second_factors.status(user).recovery_codes_left == 0

    def test_sessions(self, run_concurrently, make_sign_in, ada, phone, codes):
        """Of five who sign in with one code at once one gets a session."""
        sign_in = make_sign_in()
        outcomes = run_concurrently(
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT, phone.code(1))] * 5
        )

        assert outcomes == {OpenedSession: 1, SecondFactorCodeRequired: 4}
        assert len(list(Session.query(ada.id))) == 1

    def test_turned_off_meanwhile(self, second_factors, accounts, ada, by, phone, codes):
        """A code that was looked at before another secret came proves nothing afterwards."""
        user = accounts.get(ada.id)
        proof = second_factors.verify(user, phone.code(1))
        second_factors.disable(user, by)
        second_factors.enroll(user, by)

        with pytest.raises(SecondFactorCodeRequired), db.transaction() as transaction:
            proof.consume(transaction)

    def test_renewed_meanwhile(self, second_factors, accounts, ada, by, codes):
        """A recovery code that is replaced during a sign-in is invalid."""
        user = accounts.get(ada.id)
        proof = second_factors.verify(user, codes[0])
        second_factors.renew_recovery_codes(user, by)

        with pytest.raises(SecondFactorCodeRequired), db.transaction() as transaction:
            proof.consume(transaction)
        assert second_factors.status(user).recovery_codes_left == 10


class TestRenew:
    def test_new_codes(self, second_factors, ada, by, codes, enter):
        """The new codes work, and the old ones do not."""
        new = second_factors.renew_recovery_codes(ada, by)

        assert len(set(new) - set(codes)) == 10
        assert enter(new[0])
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0])

    def test_used_up(self, second_factors, accounts, ada, by, codes, enter):
        """A user without remaining codes gets ten new ones."""
        for code in codes:
            enter(code)
        second_factors.renew_recovery_codes(ada, by)

        assert second_factors.status(accounts.get(ada.id)).recovery_codes_left == 10

    def test_phone_goes_on(self, second_factors, ada, by, phone, codes, enter):
        """The authenticator stays as it is, and its used codes stay used."""
        second_factors.renew_recovery_codes(ada, by)

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code())
        assert enter(phone.code(1))

    def test_unconfirmed(self, second_factors, ada, by, phone):
        """A second factor that does not count has no recovery codes."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.renew_recovery_codes(ada, by)

    def test_none(self, second_factors, ada, by):
        """Without a second factor there are no recovery codes, and no row is written."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.renew_recovery_codes(ada, by)
        assert list(SecondFactor.scan()) == []

    def test_sessions_were_ended(self, second_factors, make_sign_in, ada, by, codes, enter):
        """ASVS 7.4.1: a thief whose session has ended gets no codes, and the old ones stay."""
        make_sign_in().end_all(ada, by=by)

        with pytest.raises(Unauthenticated):
            second_factors.renew_recovery_codes(ada, by)
        assert enter(codes[0])

    def test_event(self, second_factors, ada, by, codes):
        """The event tells of it, without the codes."""
        new = second_factors.renew_recovery_codes(ada, by)
        stored = everything_stored()

        assert types_of(ada)[-1] == "recovery-codes.renewed"
        assert [code for code in new if code in stored] == []


class TestDisable:
    def test_password_is_enough(self, second_factors, accounts, ada, by, codes, enter):
        """Signing in asks for nothing more, and secret and codes are gone."""
        second_factors.disable(ada, by)

        assert enter()
        assert list(SecondFactor.scan()) == []
        assert not accounts.get(ada.id).has_second_factor
        assert second_factors.status(accounts.get(ada.id)) == SecondFactorStatus(None, 0)

    def test_another_phone(self, second_factors, ada, by, phone, codes, clock, enter):
        """Who turns it off can set up another one, and the old one's codes count for nothing."""
        second_factors.disable(ada, by)
        other = Authenticator(second_factors.enroll(ada, by).secret, clock)
        second_factors.confirm(ada, other.code(), by)

        with pytest.raises(SecondFactorCodeRequired):
            enter(phone.code(1))
        with pytest.raises(SecondFactorCodeRequired):
            enter(codes[0])
        assert enter(other.code(1))

    def test_by_an_admin(self, second_factors, ada, codes):
        """The event names who did it."""
        second_factors.disable(ada, Actor("an admin", "192.0.2.9"))

        *_, event = AuditEvent.query(ada.id)
        assert event.type == "second-factor.disabled"
        assert (event.actor_id, event.ip) == ("an admin", "192.0.2.9")

    def test_mail(self, second_factors, mailbox, ada, by, codes):
        """ASVS 6.3.7: the user is notified, whether a user or an admin did it."""
        second_factors.disable(ada, by)

        assert [(mail.kind, mail.to) for mail in mailbox] == [
            (EmailKind.SECOND_FACTOR_DISABLED, "ada@example.com")
        ]

    def test_none(self, second_factors, mailbox, ada, by):
        """Without a second factor the call is rejected, and no email is sent."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.disable(ada, by)
        assert mailbox == []

    def test_unconfirmed(self, second_factors, ada, by, phone):
        """One that does not count cannot be turned off, and can still be confirmed."""
        with pytest.raises(SecondFactorNotEnabled):
            second_factors.disable(ada, by)
        assert second_factors.confirm(ada, phone.code(), by)

    def test_user_is_gone(self, second_factors, accounts, ada, by, codes):
        """Turning it off brings no deleted user back."""
        row = SecondFactor.get(ada.id)
        accounts.delete(accounts.get(ada.id))
        row.save()

        with pytest.raises(UserNotFound):
            second_factors.disable(ada, by)
        assert list(User.scan()) == []

    def test_at_once(self, run_concurrently, second_factors, mailbox, ada, by, codes):
        """Turned off twenty times at once it is turned off once, with one mail."""
        outcomes = run_concurrently(*[lambda: second_factors.disable(ada, by)] * 20)

        assert outcomes == {type(None): 1, SecondFactorNotEnabled: 19}
        assert len(mailbox) == 1


class TestDelete:
    def test_row_goes_too(self, accounts, ada, codes):
        """Who deletes the account leaves no secret behind."""
        accounts.delete(accounts.get(ada.id))

        assert list(SecondFactor.scan()) == []

    def test_unconfirmed(self, accounts, ada, phone):
        """A secret that was never confirmed goes too."""
        accounts.delete(ada)

        assert list(SecondFactor.scan()) == []

    def test_without(self, accounts, ada):
        """A user without a second factor is deleted, too."""
        accounts.delete(ada)

        assert list(User.scan()) == []


class TestChange:
    def test_profile(self, accounts, ada, codes, phone, enter):
        """A change of the user leaves the second factor on."""
        after = accounts.update(ada, {"username": "countess"})

        assert accounts.get(after.id).has_second_factor
        assert enter(phone.code(1), login="countess")


def _spend(second_factors: SecondFactors, user: User, otp: str) -> None:
    """What a sign-in does with a code."""
    proof = second_factors.verify(user, otp)
    with db.transaction() as transaction:
        proof.consume(transaction)
