"""Unique attributes, versions, and the guard before Scan."""

import threading

import pytest
from pynamodb.attributes import UnicodeAttribute, VersionAttribute
from pynamodb.exceptions import PutError

import flask_pynamodb
from flask_pynamodb import NotUnique, ScanRefused, ScanWarning, UniqueValue, VersionConflict


@pytest.fixture
def claim(db):
    class Claim(UniqueValue, db.Model):
        pass

    return Claim


@pytest.fixture
def member(db, claim, context):
    class Member(db.Model):
        id = UnicodeAttribute(hash_key=True)
        email = UnicodeAttribute(null=True)
        version = VersionAttribute()

    db.create_all()
    return Member


class Taken(Exception):
    """Another item has the new value."""


class Stale(Exception):
    """The old value is not the owner's any more."""


def claimed(claim):
    return {row.value: row.owner for row in claim.scan()}


class TestFormerName:
    def test_argument(self, member, claim):
        """The argument `claims` still works, with a warning that names its successor."""
        with pytest.warns(DeprecationWarning, match="claims of save_unique is now reservations"):
            member("1").save_unique(claims=claim, values={"name": "ada"})

        assert claimed(claim) == {"name#ada": "1"}


class TestSaveUnique:
    def test_free(self, member, claim):
        """The item and its claims are there together."""
        member("1").save_unique(claim, {"email": "ada@example.com", "name": "ada"})

        assert member.get("1").version == 1
        assert claimed(claim) == {"email#ada@example.com": "1", "name#ada": "1"}

    def test_taken(self, member, claim):
        """A taken value is named, and nothing is written."""
        member("1").save_unique(claim, {"email": "ada@example.com"})

        with pytest.raises(NotUnique) as refused:
            member("2").save_unique(claim, {"name": "bob", "email": "ada@example.com"})

        assert refused.value.name == "email"
        assert claimed(claim) == {"email#ada@example.com": "1"}

    def test_change(self, member, claim):
        """A changed value swaps its claim; an unchanged one is left alone."""
        ada = member("1")
        ada.save_unique(claim, {"email": "old@example.com", "name": "ada"})

        ada.save_unique(
            claim,
            {"email": "new@example.com", "name": "ada"},
            previous={"email": "old@example.com", "name": "ada"},
        )

        assert claimed(claim) == {"email#new@example.com": "1", "name#ada": "1"}

    def test_stale_claims(self, member, claim):
        """Releasing a value that the item does not have is a conflict."""
        ada = member("1")
        ada.save_unique(claim, {"email": "new@example.com"})

        with pytest.raises(VersionConflict):
            ada.save_unique(claim, {}, previous={"email": "old@example.com"})

    def test_stale_item(self, member, claim):
        """An item that changed since it was read is a conflict."""
        member("1").save()

        with pytest.raises(VersionConflict):
            member("1").save_unique(claim, {"email": "ada@example.com"})

        assert claimed(claim) == {}


class TestRace:
    @pytest.fixture
    def host(self, dynamodb_engine):
        """The engine alone.

        moto copies whole tables before a transaction and puts them back when it fails, without a
        lock: what others have written meanwhile is gone, and two may win.
        """
        return dynamodb_engine.host

    def test_one_wins(self, app, member, claim):
        """Of many who claim one value at once, one has it and no trace of the others is left."""
        start, winners, losers = threading.Barrier(12), [], []

        def join(id):
            with app.app_context():
                start.wait()
                try:
                    member(id).save_unique(claim, {"email": "ada@example.com"})
                    winners.append(id)
                except NotUnique:
                    losers.append(id)

        threads = [threading.Thread(target=join, args=(str(n),)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (len(winners), len(losers)) == (1, 11)
        assert claimed(claim) == {"email#ada@example.com": winners[0]}
        assert [row.id for row in member.scan()] == winners


class TestDeleteUnique:
    def test_values_are_free(self, member, claim):
        """Item and reservations are deleted together; the values are available again."""
        ada = member("1")
        ada.save_unique(claim, {"email": "ada@example.com"})

        ada.delete_unique(claim, {"email": "ada@example.com"})
        member("2").save_unique(claim, {"email": "ada@example.com"})

        assert claimed(claim) == {"email#ada@example.com": "2"}

    def test_stale_item(self, member, claim):
        """An item that changed since it was read stays."""
        ada = member("1")
        ada.save_unique(claim, {"email": "ada@example.com"})
        member.get("1").save()

        with pytest.raises(VersionConflict):
            ada.delete_unique(claim, {"email": "ada@example.com"})

        assert claimed(claim) == {"email#ada@example.com": "1"}


class TestSwap:
    @pytest.fixture
    def swap(self, db, member, claim):
        """Swaps one value for another, in a transaction with what else is to be written."""
        member("1").save_unique(claim, {"name": "ada"})

        def swap(old, new):
            with db.transaction() as transaction:
                is_other = claim.swap(transaction, "1", old, new, taken=Taken(), stale=Stale())
                transaction.save(member("2"))
            return is_other

        return swap

    def test_another_value(self, swap, claim):
        """The new value is claimed and the old one free, in one step."""
        assert swap("name#ada", "name#augusta") is True
        assert claimed(claim) == {"name#augusta": "1"}

    def test_the_same_value(self, swap, claim):
        """A value that stays is not touched."""
        assert swap("name#ada", "name#ada") is False
        assert claimed(claim) == {"name#ada": "1"}

    @pytest.mark.parametrize(
        ("old", "new", "refusal"),
        [("name#ada", "name#bob", Taken), ("name#lovelace", "name#augusta", Stale)],
    )
    def test_refused(self, swap, member, claim, old, new, refusal):
        """Each refusal has its own meaning, and nothing is written."""
        member("3").save_unique(claim, {"name": "bob"})

        with pytest.raises(refusal):
            swap(old, new)

        assert claimed(claim) == {"name#ada": "1", "name#bob": "3"}
        assert member.count("2") == 0


class TestSaveIfMatch:
    def test_match(self, member):
        """The version that was read is replaced by the next one."""
        member("1").save()

        member("1", email="new").save_if_match(1)

        assert (member.get("1").version, member.get("1").email) == (2, "new")

    @pytest.mark.parametrize("version", [2, None])
    def test_mismatch(self, member, version):
        """Another version, or the demand that there be none, changes nothing."""
        member("1", email="old").save()

        with pytest.raises(VersionConflict, match="Member has changed"):
            member("1", email="new").save_if_match(version)

        assert member.get("1").email == "old"

    def test_new(self, member):
        """None makes an item that must not be there yet."""
        member("1").save_if_match(None)

        assert member.get("1").version == 1

    def test_without_version(self, claim, context):
        """A model without a version cannot promise anything."""
        with pytest.raises(TypeError, match="VersionAttribute"):
            claim("x", owner="y").save_if_match(1)

    def test_other_error(self, db, member):
        """Another failure is not a conflict."""
        member.delete_table()

        with pytest.raises(PutError) as failed:
            member("1").save_if_match(None)

        assert not isinstance(failed.value, VersionConflict)


class TestScanGuard:
    @pytest.fixture
    def app(self, db, make_app):
        app = make_app(DYNAMODB_ALLOW_SCAN=False)
        db.init_app(app)
        return app

    def test_refused(self, member):
        """A Scan that is not allowed is rejected with advice."""
        with pytest.raises(ScanRefused, match="allow_scan"):
            member.scan()

    def test_warned(self, db, member, make_app):
        """An app that says nothing is warned, and served."""
        app = make_app(DYNAMODB_ALLOW_SCAN=None)
        db.init_app(app)

        with app.app_context(), pytest.warns(ScanWarning, match="reads the whole table"):
            assert list(member.scan()) == []

    def test_block(self, db, member):
        """Inside the block it is meant, after it no more."""
        member("1").save()

        with db.allow_scan():
            assert [row.id for row in member.scan()] == ["1"]
        with pytest.raises(ScanRefused):
            member.scan()

    def test_meta(self, db, context):
        """A model may say that it is always meant."""

        class Small(db.Model):
            class Meta:
                allow_scan = True

            id = UnicodeAttribute(hash_key=True)

        db.create_all()

        assert list(Small.scan()) == []


class TestDeprecatedNames:
    @pytest.mark.parametrize(
        ("old", "current"), [("UniqueClaim", "UniqueValue"), ("code_of", "error_code")]
    )
    def test_old_name_still_works(self, old, current):
        """A name of the previous release is the current object, with a warning."""
        with pytest.warns(DeprecationWarning, match=current):
            found = getattr(flask_pynamodb, old)

        assert found is getattr(flask_pynamodb, current)

    def test_unknown_name(self):
        """A name that never existed is an AttributeError."""
        with pytest.raises(AttributeError, match="no_such_name"):
            flask_pynamodb.no_such_name  # noqa: B018

    def test_claim(self, db, claim, member):
        """`claim` reserves a value, with a warning."""
        with pytest.warns(DeprecationWarning, match="reserve"), db.transaction() as transaction:
            claim.claim(transaction, "email#ada", "1", otherwise=ValueError())

        assert claim.get("email#ada").owner == "1"
