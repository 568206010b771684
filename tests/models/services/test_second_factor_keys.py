"""Second factors while the secret key is replaced: sealed again on use, and unreadable without."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from models import (
    Actor,
    KeyRotation,
    LoginLookup,
    Rekeyed,
    SecondFactors,
    SecretKeys,
    Session,
    Totp,
    User,
    db,
)
from models.errors import SecondFactorCodeRequired, UnreadableSecret
from models.security.totp import key_of
from models.services.sessions import SessionService
from models.tables.audit_event import AuditEvent
from models.tables.second_factor import SecondFactor
from models.tables.session import Lifetimes
from tests.support.authenticator import Authenticator, Clock
from tests.support.legacy_totp import encrypt
from tests.support.person import CLIENT, PASSWORD
from tests.support.signing_keys import signing_keys

OLD, NEW = "the key of yesterday", "the key of today"
OLD_ID, NEW_ID = SecretKeys([OLD, NEW]).ids


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(mailbox, clock: Clock) -> Callable[..., SecondFactors]:
    """Return a function that builds the service with secret keys, the current one first."""
    return lambda *keys: SecondFactors(Totp(keys, clock=clock), mailbox)


@pytest.fixture
def phone(service, ada: User, clock: Clock) -> Authenticator:
    """Enable ada's second factor under the old key, and return her authenticator."""
    by = Actor(ada.id)
    before = service(OLD)
    phone = Authenticator(before.enroll(ada, by).secret, clock)
    before.confirm(ada, phone.code(), by)
    clock.move(1)
    return phone


@pytest.fixture
def sign_in(service, hasher, mailbox) -> Callable[..., Session]:
    """Return a function that signs ada in with a code, on a service with these secret keys."""

    def run(otp: str, *keys: str) -> Session:
        return SessionService(
            hasher,
            Lifetimes(),
            second_factors=service(*keys),
            mailer=mailbox,
            logins=LoginLookup(),
        ).sign_in("ada", PASSWORD, CLIENT, otp)[0]

    return run


def rewrite(user: User, **attributes: Any) -> None:
    """Overwrite attributes of a user's second factor; None removes one."""
    row = SecondFactor.get(user.id)
    for name, value in attributes.items():
        setattr(row, name, value)
    row.save()


class TestReseal:
    def test_on_use(self, ada, phone, sign_in):
        """M3: a successful code seals the secret with the current key, in the same transaction."""
        assert sign_in(phone.code(), NEW, OLD)

        assert key_of(SecondFactor.get(ada.id).secret) == NEW_ID

    def test_old_key_can_go(self, ada, phone, clock, sign_in):
        """M3: after one sign-in the older key is no longer needed."""
        sign_in(phone.code(), NEW, OLD)
        clock.move(1)

        assert sign_in(phone.code(), NEW)

    def test_wrong_code(self, ada, phone, sign_in):
        """A wrong code changes nothing."""
        with pytest.raises(SecondFactorCodeRequired):
            sign_in("000000", NEW, OLD)

        assert key_of(SecondFactor.get(ada.id).secret) == OLD_ID

    @pytest.mark.parametrize("keys", [(OLD,), (NEW, OLD), (OLD, NEW)])
    def test_form_of_0_6(self, ada, clock, service, sign_in, keys):
        """M3, ASVS 11.3.2: a secret under AES-CTR is sealed with authentication on use."""
        by = Actor(ada.id)
        enrolled = service(OLD).enroll(ada, by)
        phone = Authenticator(enrolled.secret, clock)
        service(OLD).confirm(ada, phone.code(), by)
        rewrite(ada, secret=encrypt(enrolled.secret, secret_key=OLD), enrollment_id=None)
        clock.move(1)
        sign_in(phone.code(), *keys)
        clock.move(1)

        assert key_of(SecondFactor.get(ada.id).secret) == SecretKeys(keys).ids[0]
        assert sign_in(phone.code(), keys[0])

    def test_confirmation(self, ada, clock, service):
        """An enrollment that began under the older key is sealed with the current one."""
        by = Actor(ada.id)
        phone = Authenticator(service(OLD).enroll(ada, by).secret, clock)
        service(NEW, OLD).confirm(ada, phone.code(), by)

        assert key_of(SecondFactor.get(ada.id).secret) == NEW_ID


class TestKeyIsGone:
    def test_sign_in(self, ada, phone, sign_in):
        """M3: without the key the sign-in fails with an error that names it, not with a code."""
        with pytest.raises(UnreadableSecret, match=OLD_ID):
            sign_in(phone.code(), NEW)

        assert [event.reason for event in AuditEvent.query(ada.id) if event.reason] == []
        assert list(Session.query(ada.id)) == []

    def test_key_is_back(self, ada, phone, sign_in):
        """M3: nothing is lost: with the key among the others the same code signs in."""
        with pytest.raises(UnreadableSecret):
            sign_in(phone.code(), NEW)

        assert sign_in(phone.code(), NEW, OLD)

    def test_recovery_code(self, ada, clock, service, sign_in):
        """A recovery code needs no key."""
        by = Actor(ada.id)
        phone = Authenticator(service(OLD).enroll(ada, by).secret, clock)
        [code, *_] = service(OLD).confirm(ada, phone.code(), by)

        assert sign_in(code, NEW)

    def test_confirmation(self, ada, clock, service):
        """A first code is not called wrong when the key is gone."""
        by = Actor(ada.id)
        phone = Authenticator(service(OLD).enroll(ada, by).secret, clock)

        with pytest.raises(UnreadableSecret, match=OLD_ID):
            service(NEW).confirm(ada, phone.code(), by)

    def test_row_of_another_user(self, ada, phone, register, clock, service, sign_in):
        """ASVS 11.3.3: a writer of the table cannot give ada the second factor of another user."""
        eve = register("eve")
        theirs = Authenticator(service(OLD).enroll(eve, Actor(eve.id)).secret, clock)
        rewrite(ada, secret=SecondFactor.get(eve.id).secret)

        with pytest.raises(UnreadableSecret):
            sign_in(theirs.code(), OLD)


class TestRaces:
    @pytest.mark.parametrize("enrollment_id", [None, "an enrollment"])
    def test_sealed_again_meanwhile(self, ada, phone, service, enrollment_id):
        """M3: a code counts although the secret was sealed again after it was verified."""
        rewrite(ada, enrollment_id=enrollment_id)
        ada.has_second_factor = True
        code = service(OLD).verify(ada, phone.code())
        resealed = service(NEW, OLD).totp.reseal(SecondFactor.get(ada.id).secret, ada.id)
        rewrite(ada, secret=resealed)

        with db.transaction() as transaction:
            code.consume(transaction)
        assert SecondFactor.get(ada.id).secret == resealed

    @pytest.mark.parametrize("enrollment_id", [None, "an enrollment"])
    def test_enrolled_again_meanwhile(self, ada, phone, service, enrollment_id):
        """A code of an enrollment that was replaced after it was verified does not count."""
        rewrite(ada, enrollment_id=enrollment_id)
        ada.has_second_factor = True
        code = service(NEW, OLD).verify(ada, phone.code())
        service(OLD).disable(ada, Actor(ada.id))
        enrolled = service(OLD).enroll(ada, Actor(ada.id))

        with pytest.raises(SecondFactorCodeRequired), db.transaction() as transaction:
            code.consume(transaction)
        assert SecondFactor.get(ada.id).secret == enrolled.stored

    def test_enrolled_again_in_the_same_millisecond(self, ada, service):
        """Two enrollments of one millisecond are not taken for each other."""
        by = Actor(ada.id)
        service(OLD).enroll(ada, by)
        row = SecondFactor.get(ada.id)
        service(OLD).enroll(ada, by)
        rewrite(ada, created_at=row.created_at)

        with pytest.raises(SecondFactorCodeRequired), db.transaction() as transaction:
            transaction.update(
                row,
                [SecondFactor.last_counter.set(1)],
                row.is_same_enrollment(),
                otherwise=SecondFactorCodeRequired(),
            )

    def test_rekey_during_sign_ins(self, run_concurrently, ada, phone, clock, service, sign_in):
        """M3: sign-ins while a rekey runs succeed, and the second factor stays usable."""
        rotation = KeyRotation(service(NEW, OLD).totp, signing_keys(NEW, OLD))
        for keys in [(NEW, OLD), (OLD, NEW)] * 5:
            enter = partial(sign_in, phone.code(), *keys)
            results = run_concurrently(rotation.rekey, enter, rotation.rekey)
            clock.move(1)

            assert [type(result) for result in results] == [Rekeyed, Session, Rekeyed]
        rotation.rekey()
        assert sign_in(phone.code(), NEW)
