"""Users out of another system: brought in once, with the hash they had, or none."""

import pytest
from passlib.registry import get_crypt_handler

from models import Actor, User, UserImport
from models.errors import EmailTaken, InvalidCredentials, InvalidField, UsernameTaken
from models.tables.audit_event import AuditEvent
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, PASSWORD

ADA = {"username": "Ada", "email": "Ada@example.com"}


@pytest.fixture
def imports(accounts):
    return UserImport(accounts)


@pytest.fixture
def bcrypt_hash():
    """The password of the cast, as another system stored it."""
    return get_crypt_handler("bcrypt").using(rounds=4).hash(PASSWORD)


class TestAdd:
    def test_signs_in_with_the_old_password(self, imports, sign_in, bcrypt_hash):
        """The user keeps its password, whose hash becomes argon2id at the first sign-in."""
        ada = imports.import_user(**ADA, password_hash=bcrypt_hash)
        before = User.get(ada.id).password_hash
        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert before == bcrypt_hash
        assert User.get(ada.id).password_hash.startswith("$argon2id$")
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_wrong_password(self, imports, sign_in, bcrypt_hash):
        """A wrong password fails, and the imported hash stays."""
        ada = imports.import_user(**ADA, password_hash=bcrypt_hash)

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", "another " + PASSWORD, CLIENT)
        assert User.get(ada.id).password_hash == bcrypt_hash

    def test_without_a_hash(self, imports, sign_in, credentials, mailbox):
        """Without a hash no password signs in; a reset sets the first one."""
        ada = imports.import_user(**ADA)

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", "", CLIENT)
        credentials.send_reset(ada, by=Actor())
        credentials.reset_password(mailbox[0].token, PASSWORD)
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_no_mail(self, imports, mailbox):
        """Thousands who are imported are not written to."""
        imports.import_user(**ADA)

        assert mailbox == []

    def test_members(self, imports):
        """All that the other system knows comes along."""
        ada = imports.import_user(
            **ADA,
            full_name="Ada King",
            metadata={"team": "engines"},
            roles=["user", "admin"],
            status="suspended",
            email_verified=True,
        )
        stored = User.get(ada.id)

        assert (stored.username, stored.email) == ("ada", "Ada@example.com")
        assert (stored.full_name, stored.metadata) == ("Ada King", {"team": "engines"})
        assert (stored.roles, stored.status) == (["admin", "user"], "suspended")
        assert stored.email_verified

    def test_event(self, imports, bcrypt_hash):
        """The first event tells that the user was imported, and holds no hash (ASVS 16.2.5)."""
        ada = imports.import_user(**ADA, password_hash=bcrypt_hash)
        [event] = AuditEvent.query(ada.id)

        assert event.type == "user.imported"
        assert bcrypt_hash not in str(event.serialize())

    def test_admins_are_counted(self, imports, accounts, register):
        """An imported admin counts: the other one may go."""
        john = register("john", roles=["admin"])
        imports.import_user(**ADA, roles=["admin"])
        accounts.delete(john)

        assert [user.username for user in audited_users()] == ["ada"]


class TestAgain:
    def test_same_user(self, imports, bcrypt_hash):
        """A user who was imported before is not changed."""
        ada = imports.import_user(**ADA, password_hash=bcrypt_hash)

        assert imports.import_user(**ADA, full_name="Ada King") is None
        assert [(user.id, user.full_name) for user in audited_users()] == [(ada.id, None)]

    def test_name_is_somebody_elses(self, imports, register):
        """A username of a user with another email address is taken."""
        register("ada")

        with pytest.raises(UsernameTaken):
            imports.import_user(username="ada", email="countess@example.com")

    def test_address_is_somebody_elses(self, imports, register):
        """An email address of a user with another username is taken."""
        register("ada")

        with pytest.raises(EmailTaken):
            imports.import_user(username="countess", email="ADA@example.com")

    def test_at_once(self, imports, run_concurrently):
        """Of several imports of the same user one makes it, and the others find it there."""
        outcomes = run_concurrently(*[lambda: imports.import_user(**ADA)] * 8)

        assert len(audited_users()) == 1
        assert outcomes.count(None) == 7


class TestRefused:
    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("username", "a"),
            ("email", "nonsense"),
            ("password_hash", PASSWORD),
            ("password_hash", ""),
            ("metadata", {"much": "x" * 5000}),
        ],
    )
    def test_rules(self, imports, member, value):
        """What the rules refuse is refused by name, and nothing is stored."""
        with pytest.raises(InvalidField) as refused:
            imports.import_user(**{**ADA, member: value})

        assert refused.value.field == member
        assert audited_users() == []


class TestRehearse:
    def test_new(self, imports):
        """Who could come in does not yet."""
        assert imports.dry_run(**ADA).username == "ada"
        assert audited_users() == []

    def test_there_already(self, imports):
        """Who is there already would be left alone."""
        imports.import_user(**ADA)

        assert imports.dry_run(**ADA) is None

    @pytest.mark.parametrize(
        ("username", "email", "error"),
        [
            ("ada", "countess@example.com", UsernameTaken),
            ("countess", "ada@example.com", EmailTaken),
        ],
    )
    def test_taken(self, imports, username, email, error):
        """Conflicts are reported before anything is stored."""
        imports.import_user(**ADA)

        with pytest.raises(error):
            imports.dry_run(username=username, email=email)
