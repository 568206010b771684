"""Moves of names when DynamoDB or the network fails."""

from datetime import timedelta

import pytest

from flask_pynamodb import is_unavailable
from models import IdempotentRequest, Move, NameMoves, User, resume_cleanup
from models.tables.audit_event import AuditEvent
from models.tables.session import Session
from tests.models.services.lost_replies.test_accounts import FOR_EVER, ONCE, WRITE
from tests.support.faulty_proxy import failed, lost_reply
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, PASSWORD

EMAIL = "copy@example.com"


@pytest.fixture
def moves(context, confirmations) -> NameMoves:
    return NameMoves(confirmations)


@pytest.fixture
def copy(register) -> User:
    """Return the duplicate of ada."""
    return register("copy")


@pytest.fixture
def both(copy) -> Move:
    """Return the move of both names."""
    return Move(copy.id, EMAIL, "copy", deletes_source=True)


@pytest.mark.parametrize("fault", ONCE)
class TestOnce:
    def test_both(self, proxy, moves, ada, both, fault):
        """Both names move once although the first attempt failed or its reply was lost."""
        proxy.next(WRITE, fault)
        after = moves.move(ada, both)

        assert (after.email, after.username, after.version) == (EMAIL, "copy", 2)
        assert [user.version for user in audited_users()] == [2]
        assert len(list(AuditEvent.query(ada.id))) == 2

    def test_username(self, proxy, moves, ada, copy, fault):
        """The username moves once, and the source has lost it once."""
        proxy.next(WRITE, fault)
        moves.move(ada, Move(copy.id, username="copy"))

        assert sorted((user.username or "", user.version) for user in audited_users()) == [
            ("", 2),
            ("copy", 2),
        ]


class TestForEver:
    @pytest.mark.parametrize("fault", FOR_EVER)
    def test_nothing_is_written(self, proxy, moves, ada, both, fault):
        """While the database fails, both users stay as they are."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as error:
            moves.move(ada, both)

        assert is_unavailable(error.value)
        assert [user.version for user in audited_users()] == [1, 1]

    def test_repeat(self, proxy, moves, ada, both):
        """A repeat with the same key shows the move whose replies were all lost."""
        proxy.always(WRITE, lost_reply)
        request = IdempotentRequest("a-key-of-a-client", "move", "john", {}, ada.id)
        with pytest.raises(Exception) as error:
            moves.move(ada, both, request=request)
        proxy.behave()
        again = IdempotentRequest("a-key-of-a-client", "move", "john", {}, ada.id)
        after = moves.move(ada, both, request=again)

        assert is_unavailable(error.value)
        assert (after.email, after.version, again.is_replayed) == (EMAIL, 2, True)

    def test_cleanup(self, proxy, moves, sign_in, ada, copy, both):
        """Session rows of the source that could not be removed are removed by the next cleanup."""
        sign_in.sign_in("copy", PASSWORD, CLIENT)
        proxy.always("BatchWriteItem", failed)
        moves.move(ada, both)
        proxy.behave()

        assert len(list(Session.query(copy.id))) == 1
        assert resume_cleanup(older_than=timedelta()) == 1
        assert list(Session.query(copy.id)) == []
