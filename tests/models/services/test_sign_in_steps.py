"""Sign in by two steps: first the password, then the code of the second factor."""

import pytest
from passlib.hash import bcrypt

from models import Actor, SecondFactors, Totp, User
from models.errors import InvalidCredentials, SecondFactorCodeRequired, Unauthenticated
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import CLIENT, PASSWORD


@pytest.fixture
def clock():
    """Return a clock that tests set."""
    return Clock()


@pytest.fixture
def second_factors(mailbox, clock):
    """Return the service of second factors, with the clock."""
    return SecondFactors(Totp(["a key that only tests have"], clock=clock), mailbox)


@pytest.fixture
def phone(second_factors, ada, clock):
    """Give ada a second factor; return her authenticator, which shows the next code."""
    by = Actor(ada.id, "192.0.2.1")
    found = Authenticator(second_factors.enroll(ada, by).secret, clock)
    second_factors.confirm(ada, found.code(), by)
    clock.move(1)
    return found


@pytest.fixture
def step(sign_in, phone):
    """Return what the first step says: whose password was verified, and at which epoch."""
    with pytest.raises(SecondFactorCodeRequired) as raised:
        sign_in.sign_in("ada", PASSWORD, CLIENT)
    return raised.value.subject, raised.value.session_epoch


class TestPasswordStep:
    def test_old_hash(self, sign_in, accounts, phone, ada):
        """A bcrypt hash is replaced, since the step with the code does not have the password."""
        ada.update([User.password_hash.set(bcrypt.using(rounds=4).hash(PASSWORD))])

        with pytest.raises(SecondFactorCodeRequired) as raised:
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert accounts.get(ada.id).password_hash.startswith("$argon2id$")
        error = raised.value
        assert sign_in.continue_sign_in(error.subject, error.session_epoch, phone.code(), CLIENT)

    def test_old_hash_and_wrong_password(self, sign_in, accounts, phone, ada):
        """A wrong password replaces nothing."""
        old = bcrypt.using(rounds=4).hash(PASSWORD)
        ada.update([User.password_hash.set(old)])

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", "another password", CLIENT)

        assert accounts.get(ada.id).password_hash == old

    def test_old_hash_while_the_password_changes(self, sign_in, accounts, phone, ada, monkeypatch):
        """A password that is changed meanwhile keeps its hash."""
        ada.update([User.password_hash.set(bcrypt.using(rounds=4).hash(PASSWORD))])
        verify = sign_in.second_factors.verify

        def verify_late(user, otp):
            accounts.get(ada.id).update([User.password_hash.set("the hash of a new one")])
            return verify(user, otp)

        monkeypatch.setattr(sign_in.second_factors, "verify", verify_late)
        with pytest.raises(SecondFactorCodeRequired):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert accounts.get(ada.id).password_hash == "the hash of a new one"


class TestContinueSignIn:
    def test_code(self, sign_in, step, phone, ada):
        """The code opens a session that has used both factors."""
        opened = sign_in.continue_sign_in(*step, phone.code(), CLIENT)

        assert opened.user.id == ada.id
        assert opened.session.methods == ["pwd", "otp"]

    def test_wrong_code(self, sign_in, step):
        """A wrong code opens none."""
        with pytest.raises(SecondFactorCodeRequired):
            sign_in.continue_sign_in(*step, "000000", CLIENT)

    def test_code_works_once(self, sign_in, step, phone):
        """A code that was used opens no second session."""
        sign_in.continue_sign_in(*step, phone.code(), CLIENT)

        with pytest.raises(SecondFactorCodeRequired):
            sign_in.continue_sign_in(*step, phone.code(), CLIENT)

    def test_epoch_has_changed(self, sign_in, step, phone, ada):
        """After a new password, a suspension or signing out everywhere, the step is void."""
        ada.update([User.session_epoch.add(1)])

        with pytest.raises(Unauthenticated):
            sign_in.continue_sign_in(*step, phone.code(), CLIENT)

    def test_user_is_gone(self, sign_in, step, phone, ada):
        """The step of a deleted user is void."""
        ada.delete()

        with pytest.raises(Unauthenticated):
            sign_in.continue_sign_in(*step, phone.code(), CLIENT)
