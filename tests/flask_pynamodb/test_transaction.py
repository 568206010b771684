"""Several writes, all or none."""

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError

from flask_pynamodb import is_unavailable
from tests.support.faulty_proxy import conflicted


class Refused(Exception):
    """An exception of a domain."""


class RefusedToo(Exception):
    """Another one."""


@pytest.fixture
def item(db, context):
    class Item(db.Model):
        id = UnicodeAttribute(hash_key=True)
        count = NumberAttribute(default=0)

    db.create_all()
    return Item


class TestTransaction:
    def test_all(self, db, item):
        """Puts, updates, deletes and checks happen together."""
        for id in ("updated", "deleted", "checked"):
            item(id).save()

        with db.transaction() as transaction:
            transaction.save(item("saved"))
            transaction.update(item("updated"), [item.count.add(5)])
            transaction.delete(item("deleted"))
            transaction.condition_check(item, "checked", condition=item.id.exists())

        assert {row.id: row.count for row in item.scan()} == {
            "saved": 0,
            "updated": 5,
            "checked": 0,
        }

    def test_none(self, db, item):
        """One refused condition undoes everything and says what it means."""
        with pytest.raises(Refused), db.transaction() as transaction:
            transaction.save(item("saved"))
            transaction.update(
                item("other"), [item.count.add(1)], item.id.exists(), otherwise=Refused()
            )

        assert list(item.scan()) == []

    def test_nothing_to_do(self, db, item):
        """A transaction without operations is done, as a loop without rounds is."""
        with db.transaction():
            pass

        assert list(item.scan()) == []

    def test_most_operations(self, db, item):
        """A transaction has up to 100 operations."""
        with db.transaction() as transaction:
            for n in range(100):
                transaction.save(item(str(n)))

        assert len(list(item.scan())) == 100

    def test_too_many_operations(self, db, item):
        """With more the error says the limit and the number, and nothing is written."""
        items = [item(str(n)) for n in range(101)]
        too_many = pytest.raises(ValueError, match="at most 100 operations, not 101")
        with too_many, db.transaction() as transaction:
            for one in items:
                transaction.save(one)

        assert list(item.scan()) == []

    @pytest.mark.parametrize(
        ("first", "second", "names"),
        [
            ("save", "save", "save 2 and save 3"),
            ("check", "update", "check 1 and update 1"),
            ("delete", "save", "delete 1 and save 2"),
        ],
    )
    def test_one_item_twice(self, db, item, first, second, names):
        """Two operations on one item are an error that tells which ones."""
        add = {
            "check": lambda t: t.condition_check(item, "same", condition=item.id.exists()),
            "delete": lambda t: t.delete(item("same")),
            "save": lambda t: t.save(item("same")),
            "update": lambda t: t.update(item("same"), [item.count.add(1)]),
        }
        with pytest.raises(ValueError, match=names), db.transaction() as transaction:
            transaction.save(item("other"))
            add[first](transaction)
            add[second](transaction)

        assert list(item.scan()) == []

    def test_rejected_for_another_reason(self, db, item):
        """Other reasons are DynamoDB's own error."""
        with pytest.raises(TransactWriteError), db.transaction() as transaction:
            transaction.save(item("other"))
            transaction.save(item(""))

    @pytest.mark.parametrize("kind", ["check", "delete", "save", "update"])
    def test_every_kind(self, db, item, kind):
        """Each kind of write has its own meaning when refused."""
        exists = item.id.exists()
        with pytest.raises(Refused), db.transaction() as transaction:
            transaction.save(item("fine"))
            if kind == "check":
                transaction.condition_check(item, "x", condition=exists, otherwise=Refused())
            elif kind == "delete":
                transaction.delete(item("x"), exists, otherwise=Refused())
            elif kind == "save":
                transaction.save(item("x"), exists, otherwise=Refused())
            else:
                transaction.update(item("x"), [item.count.add(1)], exists, otherwise=Refused())

    def test_first_refusal_decides(self, db, item):
        """If several conditions fail, the first in DynamoDB's order determines the exception."""
        exists = item.id.exists()

        with pytest.raises(Refused) as caught, db.transaction() as transaction:
            transaction.update(item("y"), [item.count.add(1)], exists, otherwise=RefusedToo())
            transaction.save(item("x"), exists, otherwise=Refused())

        assert [type(each) for each in caught.value.other_failures] == [RefusedToo]

    def test_no_meaning(self, db, item):
        """A refusal without a meaning is PynamoDB's own error, and waiting would not help."""
        with pytest.raises(TransactWriteError) as failed, db.transaction() as transaction:
            transaction.save(item("x"), item.id.exists())

        assert not is_unavailable(failed.value)

    def test_exception_inside(self, db, item):
        """An exception inside the block sends nothing."""
        with pytest.raises(ZeroDivisionError), db.transaction() as transaction:
            transaction.save(item("x"))
            1 / 0  # noqa: B018

        assert list(item.scan()) == []

    def test_missing_table(self, db, context):
        """A missing table is unavailable."""

        class Nowhere(db.Model):
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(TransactWriteError) as failed, db.transaction() as transaction:
            transaction.save(Nowhere("x"))

        assert is_unavailable(failed.value)


class TestContention:
    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    @pytest.fixture
    def settings(self, settings):
        """Waits between tries are as short as can be."""
        return {**settings, "DYNAMODB_BASE_BACKOFF_MS": 1}

    def test_once(self, db, item, proxy):
        """A transaction that meets another one waits its turn."""
        proxy.next("TransactWriteItems", conflicted)

        with db.transaction() as transaction:
            transaction.save(item("saved"))

        assert [row.id for row in item.scan()] == ["saved"]
        assert proxy.count("TransactWriteItems") == 2

    def test_for_ever(self, db, item, proxy):
        """One that never gets its turn is unavailable, and has written nothing."""
        proxy.always("TransactWriteItems", conflicted)

        with pytest.raises(TransactWriteError) as failed, db.transaction() as transaction:
            transaction.save(item("lost"))

        assert is_unavailable(failed.value)
        assert list(item.scan()) == []
