"""The first proof of an address is a clean beginning (H6): pre-account hijacking fails."""

from datetime import timedelta

import pytest

from models import Actor, ApiKeys, Authority, EmailKind, User
from models.clock import now
from models.errors import EmailNotVerified, InvalidCredentials, Unauthenticated
from models.services.session_cleanup import resume_cleanup
from models.tables.api_key import ApiKey
from models.tables.audit_event import AuditEvent
from models.tables.second_factor import SecondFactor
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

DAY = timedelta(days=1)


@pytest.fixture
def keys(mailbox) -> ApiKeys:
    """API keys, whose emails are stored."""
    return ApiKeys(mailbox)


@pytest.fixture
def reset(credentials, mailbox):
    """Return a function that resets the password of a user with an emailed token."""

    def finish(user, **options):
        mailbox.clear()
        credentials.request_reset(user.email, by=Actor(ip="192.0.2.7"))
        token = mailbox.pop().token
        credentials.reset_password(token, NEW_PASSWORD, **options)

    return finish


@pytest.fixture
def verified(ada) -> User:
    """Return ada with a verified address."""
    ada.update([User.email_verified.set(True)])
    return ada


def create(keys, user, name="nightly"):
    return keys.create(user, name, ["user"], DAY, Actor(user.id))[1]


class TestUnverified:
    def test_keys(self, keys, ada, reset):
        """Keys of the person who registered the address in advance are revoked."""
        key = create(keys, ada)

        reset(ada)

        with pytest.raises(Unauthenticated):
            keys.authenticate(key)
        assert keys.list_for(User.get(ada.id)) == []
        assert list(ApiKey.query(ada.id)) == []

    def test_second_factor(self, second_factors, ada, reset, sign_in):
        """A second factor of theirs is removed, so that the owner of the address can sign in."""
        secret = second_factors.enroll(ada, Actor(ada.id)).secret
        phone = Authenticator(secret, Clock(now().timestamp()))
        second_factors.confirm(ada, phone.code(), Actor(ada.id))

        reset(ada)

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        assert list(SecondFactor.query(ada.id)) == []
        assert not User.get(ada.id).has_second_factor

    def test_pending_enrollment(self, second_factors, ada, reset):
        """A secret that waits to be confirmed is removed, too."""
        second_factors.enroll(ada, Actor(ada.id))

        reset(ada)

        assert list(SecondFactor.query(ada.id)) == []

    def test_everything_else(self, accounts, ada, reset, sign_in):
        """Sessions end, the old password is void, and a requested new address is dropped."""
        accounts.update(ada, {"email": "evil@example.com"}, confirms_email=True)
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        reset(ada)

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", PASSWORD, CLIENT)
        after = User.get(ada.id)
        assert (after.email_verified, after.pending_email) == (True, None)

    def test_email(self, ada, reset, mailbox):
        """The email says that everything else was removed."""
        reset(ada)

        assert [(each.kind, each.to) for each in mailbox] == [
            (EmailKind.ADDRESS_PROVEN, "ada@example.com")
        ]

    def test_events(self, second_factors, ada, reset):
        """The events tell what was removed, and no cleanup is left."""
        secret = second_factors.enroll(ada, Actor(ada.id)).secret
        phone = Authenticator(secret, Clock(now().timestamp()))
        second_factors.confirm(ada, phone.code(), Actor(ada.id))

        reset(ada)

        *_, first, second, third = AuditEvent.query(ada.id)
        assert {each.type for each in (first, second, third)} == {
            "password.reset",
            "api-keys.revoked",
            "second-factor.disabled",
        }
        assert resume_cleanup(timedelta(0)) == 0

    def test_second_reset(self, keys, ada, reset):
        """Only the first proof removes keys: later ones were created by the owner."""
        reset(ada)
        key = create(keys, User.get(ada.id))

        reset(User.get(ada.id))

        assert keys.authenticate(key).user.id == ada.id


class TestVerified:
    def test_keys_stay(self, keys, verified, reset, mailbox):
        """With a verified address keys stay valid."""
        key = create(keys, verified)

        reset(verified)

        assert keys.authenticate(key).user.id == verified.id
        assert [each.kind for each in mailbox] == [EmailKind.PASSWORD_CHANGED]

    def test_on_request(self, keys, verified, reset):
        """A reset revokes every key if it is asked to."""
        key = create(keys, verified)

        reset(verified, revoke_api_keys=True)

        with pytest.raises(Unauthenticated):
            keys.authenticate(key)


class TestRevokeAll:
    def test_every_key(self, keys, ada):
        """One call revokes every key, and removes its row."""
        tokens = [create(keys, ada, f"key {n}") for n in range(3)]

        keys.revoke_all(ada, Actor(ada.id))

        for token in tokens:
            with pytest.raises(Unauthenticated):
                keys.authenticate(token)
        assert list(ApiKey.query(ada.id)) == []

    def test_sessions_stay(self, keys, ada, sign_in):
        """Sessions are no keys: they stay."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        keys.revoke_all(ada, Actor(ada.id))

        assert sign_in.authenticate(token)

    def test_later_keys(self, keys, ada):
        """A key that is created afterwards is valid."""
        keys.revoke_all(ada, Actor(ada.id))
        keys.revoke_all(User.get(ada.id), Actor(ada.id))

        key = create(keys, User.get(ada.id))

        assert keys.authenticate(key).user.id == ada.id
        assert len(keys.list_for(User.get(ada.id))) == 1

    def test_created_meanwhile(self, keys, ada):
        """A request that was authorized before cannot create a key afterwards."""
        before = User.get(ada.id)
        keys.revoke_all(ada, Actor(ada.id))

        with pytest.raises(Unauthenticated):
            create(keys, before)

        assert list(ApiKey.query(ada.id)) == []

    def test_row_is_left(self, keys, ada):
        """A key whose row is left does not authenticate and is not listed."""
        key = create(keys, ada)
        ada.update([User.api_key_epoch.add(1)])

        with pytest.raises(Unauthenticated):
            keys.authenticate(key)
        assert keys.list_for(User.get(ada.id)) == []

    def test_interrupted(self, keys, ada):
        """What an interrupted cleanup left is removed later, and newer keys stay."""
        create(keys, ada)
        ada.update([User.api_key_epoch.add(1)])
        event = AuditEvent.create("api-keys.revoked", ada.id, Actor(ada.id), needs_cleanup=True)
        event.save()
        key = create(keys, User.get(ada.id), "later")

        assert resume_cleanup(timedelta(0)) == 1

        assert [row.name for row in ApiKey.query(ada.id)] == ["later"]
        assert keys.authenticate(key)

    def test_update_meanwhile(self, keys, accounts, ada, reset):
        """An update that began before does not bring revoked keys back."""
        stale = User.get(ada.id)
        key = create(keys, ada)
        keys.revoke_all(ada, Actor(ada.id))

        accounts.update(stale, {"full_name": "Ada"})

        with pytest.raises(Unauthenticated):
            keys.authenticate(key)
        assert User.get(ada.id).full_name == "Ada"


class TestAuthority:
    def test_address_is_lost(self, keys, verified, sign_in):
        """A request that needs a verified address fails if it is no longer verified (H1)."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        authority = Authority(user, session, requires_verified_email=True)
        verified.update([User.email_verified.set(False)])

        with pytest.raises(EmailNotVerified):
            keys.create(user, "nightly", [], DAY, Actor(user.id, authority=authority))

        assert list(ApiKey.query(user.id)) == []

    def test_address_is_kept(self, keys, verified, sign_in):
        """With a verified address it succeeds."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        authority = Authority(user, session, requires_verified_email=True)

        assert keys.create(user, "nightly", [], DAY, Actor(user.id, authority=authority))
