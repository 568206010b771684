"""Other clients and other runs at the same time, and lost responses."""

import threading

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import ScanError

from flask_pynamodb import MigrationError, is_unavailable
from tests.support.faulty_proxy import (
    Reply,
    conflicted,
    failed,
    in_a_transaction,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)


@pytest.fixture
def once():
    """Runs a function at its first call only."""
    done = []

    def once(function):
        if not done:
            done.append(True)
            function()

    return once


@pytest.fixture(autouse=True)
def no_delays(monkeypatch):
    """Repeat without delays."""
    monkeypatch.setattr("flask_pynamodb.migrations.item._FIRST_DELAY_SECONDS", 0)
    monkeypatch.setattr("flask_pynamodb.migrations.run._FIRST_DELAY_SECONDS", 0)


class TestConcurrentWriter:
    @pytest.fixture
    def one(self, db, person, context):
        db.create_all()
        person("1", name="Ada Byron").save()
        return person

    def test_changed_attribute(self, db, one, once, names):
        """A change of the app in between wins; the function is called again with it."""

        @db.migration("1", one)
        def split(item):
            once(lambda: one("1").update([one.name.set("Ada Lovelace")]))
            item.given_name, _, item.family_name = item.name.partition(" ")

        db.create_all()
        (status,) = db.migrate()

        assert names() == {"1": ("Ada Lovelace", "Ada", "Lovelace")}
        assert (status.read, status.changed) == (1, 1)

    def test_new_attribute(self, db, one, once, names):
        """The same for an attribute that the item did not have."""

        @db.migration("1", one)
        def split(item):
            once(lambda: one("1").update([one.family_name.set("Lovelace")]))
            item.family_name = item.family_name or item.name.partition(" ")[2]

        db.create_all()
        db.migrate()

        assert names() == {"1": ("Ada Byron", None, "Lovelace")}

    def test_deleted(self, db, one, once, names):
        """An item that the app deletes in between stays deleted."""

        @db.migration("1", one)
        def split(item):
            once(one("1").delete)
            item.given_name = "Ada"

        db.create_all()
        (status,) = db.migrate()

        assert names() == {}
        assert (status.state, status.read, status.changed) == ("done", 1, 0)

    def test_all_the_time(self, db, one, names):
        """An item that changes at each attempt fails with its key."""

        @db.migration("1", one)
        def split(item):
            one("1").update([one.visits.add(1)])
            item.given_name = "Ada"

        db.create_all()
        with pytest.raises(MigrationError, match="id='1' failed: TimeoutError: other clients"):
            db.migrate()

        assert one.get("1").visits == 10
        assert one.get("1").given_name is None


class TestServing:
    @pytest.mark.parametrize("segments", [1, 5])
    def test_no_write_is_lost(self, db, people, names, split, segments):
        """While clients write the items of a run, their writes and those of the run are kept."""
        database, start, failures = db.current_database(), threading.Barrier(4), []

        def visit(first):
            with database.context():
                start.wait()
                for n in range(100):
                    people(f"{(first + n) % 25:02}").update([people.visits.add(1)])

        def run():
            try:
                with database.context():
                    start.wait()
                    db.migrate(segments=segments, batch_size=3)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=visit, args=[first]) for first in (0, 8, 16)]
        threads.append(threading.Thread(target=run))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert names() == split
        assert sum(person.visits for person in people.scan()) == 300


class TestTransaction:
    @pytest.fixture
    def word(self, db):
        class Word(db.Model):
            word = UnicodeAttribute(hash_key=True)
            person = UnicodeAttribute(range_key=True)

        return Word

    @pytest.fixture
    def index(self, db, person, word, once, context):
        """A migration that writes rows of an index, during which a person is renamed."""

        @db.migration("1", person)
        def index(item, transaction):
            once(lambda: person("1").update([person.name.set("Ada Lovelace")]))
            for part in item.name.split():
                transaction.save(word(part, item.id))

        db.create_all()
        person("1", name="Ada Byron").save()

    def test_other_items(self, db, word, index):
        """Other items are written for the item as it is, even if it is not written itself."""
        (status,) = db.migrate()

        assert sorted(row.word for row in word.scan()) == ["Ada", "Lovelace"]
        assert (status.read, status.changed) == (1, 1)

    def test_with_the_item(self, db, person, word, once, context):
        """Changes of the item are in the same transaction."""

        @db.migration("1", person)
        def index(item, transaction):
            once(lambda: person("1").update([person.name.set("Ada Lovelace")]))
            transaction.save(word(item.name, item.id), word.word.does_not_exist())
            item.given_name = item.name

        db.create_all()
        person("1", name="Ada Byron").save()
        db.migrate()

        assert person.get("1").given_name == "Ada Lovelace"
        assert [row.word for row in word.scan()] == ["Ada Lovelace"]

    def test_sort_key(self, db, person, word, context):
        """The item may have a sort key."""

        @db.migration("1", word)
        def count(item, transaction):
            transaction.update(person(item.person), [person.visits.set(1)])

        db.create_all()
        word("Ada", "1").save()
        db.migrate()

        assert person.get("1").visits == 1

    def test_nothing_to_write(self, db, person, word, context):
        """Without writes no transaction is sent."""

        @db.migration("1", person)
        def index(item, transaction):
            pass

        db.create_all()
        person("1").save()
        (status,) = db.migrate()

        assert (status.read, status.changed) == (1, 0)

    def test_condition_of_a_stale_item(self, db, person, word, once, context):
        """If another condition fails as well, the item as it is now decides."""

        class Taken(Exception):
            pass

        @db.migration("1", person)
        def index(item, transaction):
            once(lambda: person("1").update([person.name.set("Lovelace")]))
            is_new = word.word.does_not_exist()
            transaction.save(word(item.name, item.id), is_new, otherwise=Taken())
            item.given_name = item.name

        db.create_all()
        person("1", name="Byron").save()
        word("Byron", "1").save()
        db.migrate()

        assert sorted(row.word for row in word.scan()) == ["Byron", "Lovelace"]

    @pytest.mark.parametrize("has_meaning", [True, False])
    def test_condition(self, db, person, word, context, has_meaning):
        """A condition that fails alone fails the item."""

        class Taken(Exception):
            """The word is taken."""

        @db.migration("1", person)
        def index(item, transaction):
            otherwise = Taken() if has_meaning else None
            is_new = word.word.does_not_exist()
            transaction.save(word(item.name, item.id), is_new, otherwise=otherwise)
            item.given_name = "Ada"

        db.create_all()
        person("1", name="Byron").save()
        word("Byron", "1").save()
        with pytest.raises(MigrationError, match="id='1' failed: T"):
            db.migrate()

        assert person.get("1").given_name is None


class TestTwoRuns:
    def test_at_the_same_time(self, db, people, once):
        """A second run is rejected until the first one ends."""
        rejected = []

        @db.migration("0002", people)
        def look(item):
            def run():
                with pytest.raises(MigrationError) as error:
                    db.migrate()
                rejected.append(str(error.value))

            once(run)

        *_, status = db.migrate()

        assert status.state == "done"
        (text,) = rejected
        assert text.startswith("0002: ")
        assert "runs this migration. If that process is dead, run again in 6" in text

    def test_after_a_long_silence(self, db, people, once, monkeypatch, names, split):
        """A run that does not renew its lease is overtaken, and notices it."""
        monkeypatch.setattr("flask_pynamodb.migrations.history.LEASE_SECONDS", -2)

        @db.migration("0002", people)
        def look(item):
            once(db.migrate)

        with pytest.raises(MigrationError, match="0002: another run has continued this migration"):
            db.migrate()

        assert [status.state for status in db.migrations()] == ["done", "done"]

    def test_finished_meanwhile(self, db, people, once):
        """A run that comes too late says that another one has finished it."""
        db.migration("0002", people)(lambda item: None)

        def finish(status):
            once(lambda: db.migrate("0002", repeat=True))

        with pytest.raises(MigrationError, match="0002: another run has finished this migration"):
            db.migrate(on_progress=finish)

        assert [status.state for status in db.migrations()] == ["done", "done"]

    def test_history_dropped_meanwhile(self, db, people, once):
        """A run whose row disappears ends."""

        @db.migration("0002", people)
        def look(item):
            history = db.models[-1]
            once(history("migration", "0002").delete)

        with pytest.raises(MigrationError, match="0002: another run has continued this migration"):
            db.migrate()

        assert [status.state for status in db.migrations()] == ["done", "pending"]


@pytest.mark.parametrize("transport", ["curl", "botocore"])
class TestFaults:
    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    @pytest.fixture
    def settings(self, settings):
        return {**settings, "DYNAMODB_MAX_RETRY_ATTEMPTS": 0}

    @pytest.fixture
    def four(self, db, person, split_names, context):
        db.create_all()
        for n in range(4):
            person(f"{n:02}", name=f"Given{n} Family{n}").save()

    @pytest.fixture
    def four_split(self, split):
        return {key: value for key, value in split.items() if key < "04"}

    @pytest.mark.parametrize("last", [lost_request, lost_reply])
    @pytest.mark.parametrize("step", range(12))
    def test_kill(self, db, four, four_split, names, proxy, monkeypatch, step, last):
        """A run that ends at any of its requests is continued by the next one."""
        monkeypatch.setattr("flask_pynamodb.migrations.history.LEASE_SECONDS", -2)
        monkeypatch.setattr("flask_pynamodb.migrations.run._RETRIES", 0)
        left = [None] * step

        def die(request, forward):
            if left:
                left.pop()
                return forward(request)
            return last(request, forward)

        for operation in ("Query", "Scan", "UpdateItem", "GetItem"):
            proxy.always(operation, die)
        with pytest.raises(Exception) as died:
            db.migrate(batch_size=2)
        proxy.behave()
        (status,) = db.migrate(batch_size=2) or db.migrations()

        assert is_unavailable(died.value)
        assert names() == four_split
        assert (status.state, status.read) == ("done", 4)

    @pytest.mark.parametrize("fault", [lost_reply, lost_request, failed, throttled, over_capacity])
    @pytest.mark.parametrize("operation", ["Scan", "UpdateItem"])
    def test_each_call_once(self, db, four, four_split, names, proxy, operation, fault):
        """A run continues after faults in the middle."""
        intact = lambda request, forward: forward(request)  # noqa: E731
        proxy.next(operation, intact, *[fault, intact, intact] * 4)

        (status,) = db.migrate(batch_size=1)
        proxy.behave()

        assert (status.state, status.read) == ("done", 4)
        assert names() == four_split

    def test_conflict_with_a_transaction(self, db, four, four_split, names, proxy):
        """A transaction of the app delays an item."""
        intact = lambda request, forward: forward(request)  # noqa: E731
        proxy.next("UpdateItem", intact, in_a_transaction)

        db.migrate()

        assert names() == four_split

    def test_transactions(self, db, person, context, proxy):
        """Lost responses and conflicts of transactions do no harm either."""

        class Counter(db.Model):
            id = UnicodeAttribute(hash_key=True)
            people = NumberAttribute()

        @db.migration("1", person)
        def count(item, transaction):
            if item.given_name is None:
                transaction.update(Counter("all"), [Counter.people.add(1)])
                item.given_name = "counted"

        db.create_all()
        for n in range(4):
            person(str(n)).save()
        proxy.next("TransactWriteItems", lost_reply, conflicted, lost_request, failed, lost_reply)
        db.migrate()

        assert Counter.get("all").people == 4

    def test_reason_is_unavailable(self, db, four, proxy, person, once):
        """A rejected run is an error, even if the row of the other one cannot be read."""
        rejected = []

        def run():
            proxy.next("GetItem", lost_request)
            with pytest.raises(MigrationError) as error:
                db.migrate()
            rejected.append(str(error.value))

        db.migration("0002", person)(lambda item: once(run))
        db.migrate()

        assert rejected == ["0002: another run has this migration."]

    def test_unavailable_for_long(self, db, four, proxy):
        """A run ends when DynamoDB stays unavailable, and the next one continues."""
        proxy.always("Scan", throttled)
        with pytest.raises(ScanError) as unavailable:
            db.migrate()
        (stopped,) = db.migrations()
        tries = proxy.count("Scan")
        proxy.behave()
        (done,) = db.migrate()

        assert is_unavailable(unavailable.value)
        assert tries == 6
        assert (stopped.state, stopped.failure) == ("failed", "ScanError")
        assert done.state == "done"

    def test_no_permission(self, db, four, proxy):
        """What does not pass by itself ends a run at once."""
        error = b'{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}'
        kind = {"Content-Type": "application/x-amz-json-1.0"}
        proxy.always("Scan", lambda request, forward: Reply(400, error, kind))

        with pytest.raises(ScanError):
            db.migrate()

        assert proxy.count("Scan") == 1
