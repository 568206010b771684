"""Moves of usernames and email addresses from one user to another."""

from datetime import timedelta
from typing import Any

import pytest

from models import (
    Actor,
    Email,
    EmailKind,
    Move,
    NameMoves,
    User,
    UserFilter,
    UsernameMode,
    UsernameRules,
)
from models.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidField,
    InvalidToken,
    LastAdmin,
    UsernameTaken,
    UserNotFound,
    VersionMismatch,
)
from models.tables.api_key import ApiKey
from models.tables.audit_event import AuditEvent
from models.tables.one_time_token import OneTimeToken
from models.tables.second_factor import SecondFactor
from models.tables.session import Session
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

QUARANTINE = timedelta(days=90)
EMAIL = "copy@example.com"


@pytest.fixture
def make_moves(context, confirmations):
    """Return a function that returns the service in another mode: `make_moves("off")`."""

    def make(mode: str = "optional") -> NameMoves:
        return NameMoves(confirmations, UsernameRules((), QUARANTINE, UsernameMode(mode)))

    return make


@pytest.fixture
def moves(make_moves) -> NameMoves:
    return make_moves()


@pytest.fixture
def copy(register) -> User:
    """Return the duplicate of ada."""
    return register("copy", email_verified=True)


@pytest.fixture
def email_of(copy) -> Move:
    """Return the move of the duplicate's address."""
    return Move(copy.id, email=EMAIL, deletes_source=True)


@pytest.fixture
def username_of(copy) -> Move:
    """Return the move of the duplicate's username, which leaves the duplicate."""
    return Move(copy.id, username="copy")


def events_of(user: User) -> list[tuple[Any, ...]]:
    return [(row.type, row.actor_id, row.changed_fields) for row in AuditEvent.query(user.id)]


def fields_of(error: Any) -> list[str]:
    return [fault.field for fault in (error.value, *error.value.other_failures)]


class TestEmail:
    def test_moved(self, moves, ada, copy, email_of):
        """The target has the address, its other fields stay, and the source is gone."""
        after = moves.move(ada, email_of)

        assert (after.id, after.email, after.username) == (ada.id, EMAIL, "ada")
        assert after.version == ada.version + 1
        assert [(user.id, user.email) for user in audited_users()] == [(ada.id, EMAIL)]

    def test_case(self, moves, ada, copy):
        """The address may be given in any case; the target gets it as the source had it."""
        after = moves.move(ada, Move(copy.id, email="COPY@example.COM", deletes_source=True))

        assert after.email == EMAIL

    def test_sign_in(self, moves, sign_in, ada, email_of):
        """The moved address signs in to the target, with its password."""
        moves.move(ada, email_of)

        assert sign_in.sign_in(EMAIL, PASSWORD, CLIENT).user.id == ada.id

    def test_password_of_source(self, moves, register, sign_in, ada):
        """The password of the source gives access to nothing."""
        copy = register("other", password=NEW_PASSWORD)
        moves.move(ada, Move(copy.id, email=copy.email, deletes_source=True))

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in(copy.email, NEW_PASSWORD, CLIENT)

    def test_old_address(self, moves, register, ada, email_of):
        """The old address of the target is available at once."""
        moves.move(ada, email_of)

        assert register("eve", email="ada@example.com").email == "ada@example.com"

    def test_moved_address_stays_taken(self, moves, register, ada, email_of):
        """The moved address is not available to others."""
        moves.move(ada, email_of)

        with pytest.raises(EmailTaken):
            register("eve", email=EMAIL)

    def test_not_verified(self, moves, accounts, ada, email_of):
        """The verification of the source says nothing about the owner of the target."""
        accounts.update(ada, {"email_verified": True})
        after = moves.move(accounts.get(ada.id), email_of)

        assert after.email_verified is False

    def test_verification(self, moves, confirmations, accounts, mailbox, ada, email_of):
        """The token in the email verifies the moved address, in a session of the target."""
        moves.move(ada, email_of)
        [email] = [each for each in mailbox if each.kind == EmailKind.VERIFY_EMAIL]
        confirmations.confirm(email.token, by=Actor(ada.id))

        assert email.to == EMAIL
        assert accounts.get(ada.id).email_verified

    def test_suspended_target(self, moves, accounts, mailbox, ada, email_of):
        """A suspended user gets no token, which it could not use."""
        suspended = accounts.update(ada, {"status": "suspended"})
        after = moves.move(suspended, email_of)

        assert (after.status, after.email) == ("suspended", EMAIL)
        assert [each for each in mailbox if each.token] == []

    def test_notices(self, moves, mailbox, ada, copy, email_of):
        """The old address of the target, and the address of the source, are notified."""
        moves.move(ada, email_of)

        assert Email.to_user(EmailKind.EMAIL_CHANGED, ada) in mailbox
        assert Email.to_user(EmailKind.ACCOUNT_MERGED, copy, detail=EMAIL) in mailbox

    def test_pending_address(self, moves, confirmations, accounts, mailbox, ada, email_of):
        """An address that the target requested before does not replace the moved one."""
        pending = accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)
        token = next(each.token for each in mailbox if each.token)
        moves.move(pending, email_of)

        assert accounts.get(ada.id).pending_email is None
        with pytest.raises(InvalidToken):
            confirmations.confirm(token, by=Actor(ada.id))

    def test_resets_of_target(self, moves, credentials, mailbox, ada, email_of):
        """A reset that was emailed to the old address of the target is void."""
        credentials.send_reset(ada, by=Actor())
        moves.move(ada, email_of)

        with pytest.raises(InvalidToken):
            credentials.reset_password(mailbox[0].token, NEW_PASSWORD)

    def test_resets_of_source(self, moves, credentials, mailbox, ada, copy, email_of):
        """A reset that was emailed to the moved address before does not reset the target."""
        credentials.send_reset(copy, by=Actor())
        moves.move(ada, email_of)

        with pytest.raises(InvalidToken):
            credentials.reset_password(mailbox[0].token, NEW_PASSWORD)

    def test_sessions(self, moves, sign_in, ada, copy, email_of):
        """The sessions of the source end, those of the target stay."""
        kept = sign_in.sign_in("ada", PASSWORD, CLIENT)
        ended = sign_in.sign_in("copy", PASSWORD, CLIENT)
        moves.move(ada, email_of)

        assert sign_in.authenticate(kept.token).user.email == EMAIL
        assert list(Session.query(copy.id)) == []
        assert ended.user.id == copy.id

    def test_nothing_remains(self, moves, second_factors, credentials, ada, copy, email_of):
        """The source leaves no second factor, keys, tokens or sessions behind."""
        second_factors.enroll(copy, by=Actor(copy.id))
        credentials.send_reset(copy, by=Actor())
        moves.move(ada, email_of)

        assert [
            list(model.query(copy.id)) for model in (SecondFactor, ApiKey, OneTimeToken, Session)
        ] == [[], [], [], []]

    def test_username_of_source(self, moves, register, ada, email_of):
        """The username that does not move is in quarantine, as after any deletion."""
        moves.move(ada, email_of)

        with pytest.raises(UsernameTaken):
            register("copy", email="eve@example.com")

    def test_external_id_of_source(self, moves, accounts, ada, copy, email_of):
        """The external ID that does not move is available."""
        accounts.update(copy, {"external_id": "crm-1"})
        moves.move(ada, email_of)

        after = accounts.update(accounts.get(ada.id), {"external_id": "crm-1"})
        assert after.external_id == "crm-1"

    def test_events(self, moves, ada, copy, email_of):
        """Both users have an event, with the same actor."""
        moves.move(ada, email_of, by=Actor("john"))

        assert events_of(ada)[-1] == ("user.updated", "john", ["email"])
        assert events_of(copy)[-1] == ("user.deleted", "john", [])

    def test_suspended_source(self, moves, accounts, ada, copy, email_of):
        """The names of a suspended duplicate move, too."""
        accounts.update(copy, {"status": "suspended"})
        after = moves.move(ada, email_of)

        assert after.email == EMAIL


class TestUsername:
    def test_moved(self, moves, accounts, ada, copy, username_of):
        """The target has the username, and the source stays without one."""
        after = moves.move(ada, username_of)

        rest = accounts.get(copy.id)
        assert (after.username, after.email) == ("copy", "ada@example.com")
        assert (rest.username, rest.email, rest.email_verified) == (None, EMAIL, True)
        assert len(audited_users()) == 2

    def test_sign_in(self, moves, sign_in, ada, username_of):
        """The username signs in to the target."""
        moves.move(ada, username_of)

        assert sign_in.sign_in("copy", PASSWORD, CLIENT).user.id == ada.id

    def test_sessions(self, moves, sign_in, ada, username_of):
        """The sessions of both users stay."""
        sessions = [sign_in.sign_in(name, PASSWORD, CLIENT) for name in ("ada", "copy")]
        moves.move(ada, username_of)

        names = [sign_in.authenticate(each.token).user.username for each in sessions]
        assert names == ["copy", None]

    def test_old_username(self, moves, register, accounts, ada, username_of):
        """The old username of the target is in quarantine: only the target can take it back."""
        after = moves.move(ada, username_of)

        with pytest.raises(UsernameTaken):
            register("ada", email="eve@example.com")
        assert accounts.update(after, {"username": "ada"}).username == "ada"

    def test_source_cannot_take_it_back(self, moves, accounts, ada, copy, username_of):
        """The source has not given the username up, but lost it."""
        moves.move(ada, username_of)

        with pytest.raises(UsernameTaken):
            accounts.update(accounts.get(copy.id), {"username": "copy"})

    def test_target_without_username(self, moves, register, username_of):
        """A target without a username gets one."""
        nell = register("nell", username=None)

        assert moves.move(nell, username_of).username == "copy"

    def test_verified_address(self, moves, accounts, mailbox, ada, username_of):
        """The address of the target stays verified, and its pending one stays, too."""
        accounts.update(ada, {"email_verified": True})
        pending = accounts.update(
            accounts.get(ada.id), {"email": "new@example.com"}, confirms_email=True
        )
        after = moves.move(pending, username_of)

        assert (after.email_verified, after.pending_email) == (True, "new@example.com")

    def test_notices(self, moves, mailbox, ada, copy, username_of):
        """Both users are notified of what changed."""
        moves.move(ada, username_of)

        assert [(each.kind, each.to, each.username, each.detail) for each in mailbox] == [
            (EmailKind.USERNAME_CHANGED, ada.email, "copy", "ada"),
            (EmailKind.USERNAME_CHANGED, copy.email, "", "copy"),
        ]

    def test_events(self, moves, ada, copy, username_of):
        """Both users have an event of the changed username."""
        moves.move(ada, username_of, by=Actor("john"))

        assert events_of(ada)[-1] == ("user.updated", "john", ["username"])
        assert events_of(copy)[-1] == ("user.updated", "john", ["username"])

    def test_with_deletion(self, moves, register, ada, copy):
        """The source can be deleted; its address is available then."""
        moves.move(ada, Move(copy.id, username="copy", deletes_source=True))

        assert [user.username for user in audited_users()] == ["copy"]
        assert register("eve", email=EMAIL).email == EMAIL


class TestBoth:
    def test_moved(self, moves, ada, copy):
        """The target has both names, and the source is gone."""
        after = moves.move(ada, Move(copy.id, EMAIL, "Copy", deletes_source=True))

        assert (after.username, after.email) == ("copy", EMAIL)
        assert [user.id for user in audited_users()] == [ada.id]
        assert events_of(ada)[-1][2] == ["username", "email"]

    def test_lookups(self, moves, accounts, ada, copy):
        """Each name finds the target, the old ones find no user."""
        moves.move(ada, Move(copy.id, EMAIL, "copy", deletes_source=True))

        found = [accounts.find(login) for login in (EMAIL, "copy", "ada", "ada@example.com")]
        assert [user and user.id for user in found] == [ada.id, ada.id, None, None]


class TestSearch:
    def test_after_merge(self, moves, accounts, ada, copy):
        """The search finds the target by the moved names, and by the old ones no user."""
        moves.move(ada, Move(copy.id, EMAIL, "copy", deletes_source=True))
        found = {
            text: [user.id for user in accounts.search.find(text, UserFilter())[0]]
            for text in ("copy", EMAIL, "ada", "ada@example.com")
        }

        assert found == {"copy": [ada.id], EMAIL: [ada.id], "ada": [], "ada@example.com": []}

    def test_after_username(self, moves, accounts, ada, copy, username_of):
        """The search still finds the source by its address."""
        moves.move(ada, username_of)
        found = accounts.search.find("copy", UserFilter())[0]

        assert {user.id for user in found} == {ada.id, copy.id}


class TestRejected:
    @pytest.mark.parametrize(
        "move, fields",
        [
            ({}, ["email"]),
            ({"deletes_source": True}, ["email"]),
            ({"email": EMAIL}, ["delete_source"]),
            ({"email": "ada@example.com", "deletes_source": True}, ["email"]),
            ({"email": "no address", "deletes_source": True}, ["email"]),
            ({"email": "new@example.com"}, ["delete_source", "email"]),
            ({"username": "ada"}, ["username"]),
            ({"username": "..", "deletes_source": True}, ["username"]),
            (
                {"username": "ada", "email": "ada@example.com"},
                ["delete_source", "email", "username"],
            ),
        ],
    )
    def test_fields(self, moves, ada, copy, move, fields):
        """What the source does not have, or cannot be without, is rejected field by field."""
        with pytest.raises(InvalidField) as error:
            moves.move(ada, Move(copy.id, **move))

        assert fields_of(error) == fields
        assert [user.version for user in audited_users()] == [1, 1]

    @pytest.mark.parametrize("source_id", ["", "none", "01a1fb07-5f9c-7229-8e0e-c7853035f505"])
    def test_unknown_source(self, moves, ada, source_id):
        """A source that does not exist is named, with the other faults."""
        with pytest.raises(InvalidField) as error:
            moves.move(ada, Move(source_id, email=EMAIL))

        assert fields_of(error) == ["from", "delete_source"]

    def test_itself(self, moves, ada):
        """A user cannot get its own names, and is not deleted."""
        with pytest.raises(InvalidField) as error:
            moves.move(ada, Move(ada.id, email=ada.email, deletes_source=True))

        assert fields_of(error) == ["from"]
        assert [user.version for user in audited_users()] == [1]

    def test_source_without_username(self, moves, register, ada):
        """There is no username to move."""
        nell = register("nell", username=None)

        with pytest.raises(InvalidField, match="not the username"):
            moves.move(ada, Move(nell.id, username="nell"))

    def test_username_in_quarantine(self, moves, accounts, ada, copy):
        """A username that the source has given up is not its username."""
        accounts.update(copy, {"username": "other"})

        with pytest.raises(InvalidField, match="not the username"):
            moves.move(ada, Move(copy.id, username="copy"))

    def test_required_usernames(self, make_moves, ada, copy):
        """Where users need a username, the source must be deleted."""
        with pytest.raises(InvalidField) as error:
            make_moves("required").move(ada, Move(copy.id, username="copy"))

        assert fields_of(error) == ["delete_source"]

    def test_required_usernames_with_deletion(self, make_moves, ada, copy):
        """Where users need a username, it moves when the source is deleted."""
        move = Move(copy.id, username="copy", deletes_source=True)

        assert make_moves("required").move(ada, move).username == "copy"

    def test_usernames_off(self, make_moves, ada, copy):
        """Where usernames are off, no user gets another one."""
        with pytest.raises(InvalidField) as error:
            make_moves("off").move(ada, Move(copy.id, username="copy"))

        assert fields_of(error) == ["username"]

    def test_last_admin(self, moves, register, ada):
        """The last active admin is not deleted by a move."""
        john = register("john", roles=["admin"])

        with pytest.raises(LastAdmin):
            moves.move(ada, Move(john.id, email=john.email, deletes_source=True))
        assert {user.version for user in audited_users()} == {1}

    def test_admin(self, moves, register, ada):
        """Another admin is deleted, and the number of admins is right."""
        john, _ = register("john", roles=["admin"]), register("joe", roles=["admin"])
        moves.move(ada, Move(john.id, email=john.email, deletes_source=True))

        assert sorted(user.username for user in audited_users()) == ["ada", "joe"]

    def test_version(self, moves, ada, email_of):
        """A target at another version than the caller accepts stays as it is."""
        with pytest.raises(VersionMismatch):
            moves.move(ada, email_of, versions={2})

        assert [user.version for user in audited_users()] == [1, 1]

    def test_target_gone(self, moves, accounts, ada, email_of):
        """A target that was deleted since it was read gets nothing."""
        accounts.delete(ada)

        with pytest.raises(UserNotFound):
            moves.move(ada, email_of)
        assert [user.email for user in audited_users()] == [EMAIL]
