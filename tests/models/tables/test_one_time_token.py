"""Tokens that are sent by mail: for one user, one purpose and one use, and not for long."""

import base64
from datetime import timedelta
from uuid import UUID

import pytest

from models import db
from models.clock import now
from models.errors import InvalidToken
from models.tables.one_time_token import OneTimeToken, Purpose

RESET, CONFIRM = Purpose.RESET_PASSWORD, Purpose.CONFIRM_EMAIL
TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def give(ada):
    """Stores a token of ada's and returns its row and what was sent."""

    def make(purpose=RESET, lifetime=TEN_MINUTES):
        row, token = OneTimeToken.new(ada, purpose, ada.email, lifetime)
        row.save()
        return row, token

    return make


@pytest.fixture
def spend(ada):
    def use(row):
        with db.transaction() as transaction:
            row.spend(transaction)

    return use


def readdressed(token, user):
    """The same random bits, as if they were another user's."""
    raw = base64.urlsafe_b64decode(token.removeprefix("rso_") + "==")
    forged = UUID(user.id).bytes + raw[16:]
    return "rso_" + base64.urlsafe_b64encode(forged).rstrip(b"=").decode()


class TestNew:
    def test_random(self, give):
        """ASVS 6.4.1, 6.6.3, 7.2.3: a token has 192 random bits beside the user's ID."""
        first, second = (give()[1].removeprefix("rso_") for _ in range(2))

        assert len(first) == 54
        assert first[:21] == second[:21]
        assert first[22:] != second[22:]

    def test_token_is_not_stored(self, give):
        """ASVS 16.2.5: the row has a digest; neither it nor what is printed of it has the token."""
        row, token = give()

        assert token not in str(row.serialize())
        assert token[24:] not in str(row.serialize())
        assert token not in repr(row)
        assert row.token_digest not in repr(row)

    def test_is_tidied_away(self, give):
        """A token that was never used leaves its row to DynamoDB's time to live."""
        row, _ = give()

        assert row.remove_at.timestamp() == pytest.approx(row.expires_at.timestamp(), abs=1)

    def test_decoy(self, give, ada):
        """The row of an unknown user looks like a token, but no token matches it."""
        real, decoy = give()[0], OneTimeToken.decoy()[0]

        assert decoy.serialize().keys() == real.serialize().keys()
        assert decoy.user_id != ada.id


class TestFind:
    def test_its_user(self, give, ada):
        """A token leads to its row and its user."""
        row, token = give()

        found, user = OneTimeToken.get_valid(token, RESET)
        assert (found.token_digest, user.id) == (row.token_digest, ada.id)

    @pytest.mark.parametrize("purpose, other", [(RESET, CONFIRM), (CONFIRM, RESET)])
    def test_another_purpose(self, give, purpose, other):
        """ASVS 6.6.2: what confirms an address resets no password, nor the other way round."""
        _, token = give(purpose)

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(token, other)

    def test_another_user(self, give, register):
        """ASVS 6.6.2: the random bits of one user's token are no token of another's."""
        _, token = give()

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(readdressed(token, register("eve")), RESET)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
            lambda token: token[:-1],
            lambda token: token + "A",
            lambda token: token + "=",
            lambda token: f" {token}",
            lambda token: token.upper(),
            lambda token: token.replace("rso_", "rst_"),
            lambda token: token.removeprefix("rso_"),
            lambda token: "rso_",
            lambda token: "rso_" + "A" * 54,
            lambda token: "rso_" + "!" * 54,
            lambda token: token + "\u00e9",
            lambda token: "",
        ],
    )
    def test_damaged(self, give, damage):
        """CVE-2019-18818: a token with any difference, or a blank one, is invalid."""
        _, token = give()

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(damage(token), RESET)

    def test_digest(self, give):
        """ASVS 11.4.1: the table contains no usable token."""
        row, _ = give()

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(row.token_digest, RESET)

    def test_expired(self, give):
        """ASVS 6.4.1: the clock decides, however long DynamoDB keeps the row."""
        row, token = give()
        row.update([OneTimeToken.expires_at.set(now())])

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(token, RESET)

    def test_user_is_gone(self, give, accounts, ada):
        """A deleted user's tokens go with it."""
        _, token = give()
        accounts.delete(ada)

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(token, RESET)
        assert list(OneTimeToken.scan()) == []


class TestSpend:
    def test_once(self, give, spend):
        """ASVS 6.5.1: a token that was used is as good as one that was never given."""
        row, token = give()
        spend(row)

        with pytest.raises(InvalidToken):
            OneTimeToken.get_valid(token, RESET)
        with pytest.raises(InvalidToken):
            spend(row)

    def test_twenty_at_once(self, run_concurrently, give, spend):
        """ASVS 6.5.1, 15.4.2: of twenty who use a token at the same moment one succeeds."""
        row, _ = give()
        outcomes = run_concurrently(*[lambda: spend(row)] * 20)

        assert outcomes.count(None) == 1
        assert [type(each) for each in outcomes].count(InvalidToken) == 19
