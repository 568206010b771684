"""Runs of migrations: positions, limits, order, and the history that they leave."""

import pytest
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, MigrationError, PynamoDB, call_finished


@pytest.fixture
def seen(db, people):
    """The IDs of the items with which a second migration was called, in order."""
    seen = []

    @db.migration("0002-look", people)
    def look(item):
        seen.append(item.id)

    db.migrate("0001-split-names")
    return seen


class TestMigrate:
    def test_all_items(self, db, people, names, split):
        """Each item is changed, and the history says so."""
        (status,) = db.migrate(batch_size=10)

        assert names() == split
        assert (status.id, status.state) == ("0001-split-names", "done")
        assert (status.read, status.changed) == (25, 25)
        assert status.table == people.Meta.table_name
        assert status.started_at <= status.finished_at

    def test_done(self, db, people):
        """A migration that is done does not run again."""
        db.migrate()

        assert db.migrate() == []

    def test_no_items(self, db, split_names, context):
        """A migration of an empty table is done."""
        db.create_all()

        (status,) = db.migrate(segments=3)

        assert (status.state, status.read) == ("done", 0)

    def test_none_declared(self, db, context):
        """Without migrations there is no history, and nothing to do."""
        assert db.create_all() == []
        assert db.migrate() == db.migrations() == []

    def test_segments(self, db, people, seen):
        """Each item is in exactly one segment."""
        db.migrate(segments=7, batch_size=2)

        assert sorted(seen) == [f"{n:02}" for n in range(25)]

    def test_scan_that_is_not_allowed(self, db, person, split_names, make_app):
        """A migration may scan its table where the app may not; its function may not."""
        app = make_app(DYNAMODB_ALLOW_SCAN=False)
        db.init_app(app)

        @db.migration("0002", person)
        def scan(item):
            next(item.scan())

        with app.app_context():
            db.create_all()
            person("1", name="Ada Lovelace").save()

            assert db.migrate("0001-split-names")[0].changed == 1
            with pytest.raises(MigrationError, match="ScanRefused"):
                db.migrate()

    def test_standalone(self, db, settings, person, split_names):
        """Migrations run without an app."""
        database = db.standalone({**settings, "DYNAMODB_ALLOW_SCAN": False})

        with database.context():
            db.create_all()
            person("1", name="Ada Lovelace").save()
            (status,) = db.migrate(segments=2)

            assert (status.state, status.changed) == ("done", 1)

    @pytest.mark.parametrize(
        ("option", "error"),
        [
            ({"limit": 0}, "limit must be 1 or more, not 0"),
            ({"units_per_second": 0.5}, "units_per_second must be 1 or more, not 0.5"),
            ({"segments": 33}, "segments must be 1 to 32, not 33"),
            ({"batch_size": 0}, "batch_size must be 1 to 1000, not 0"),
        ],
    )
    def test_bounds(self, db, people, option, error):
        """A number out of its bounds is rejected before anything runs."""
        with pytest.raises(ValueError, match=error):
            db.migrate(**option)

        assert [status.state for status in db.migrations()] == ["pending"]


class TestPosition:
    @pytest.mark.parametrize("segments", [1, 3])
    def test_stop(self, db, people, seen, segments):
        """A stopped run continues after its last item."""
        (stopped,) = db.migrate(segments=segments, should_stop=lambda: len(seen) >= 7)
        begun = len(seen)
        (done,) = db.migrate()

        assert stopped.state == "stopped"
        assert 7 <= stopped.read == begun < 25
        assert (done.state, done.read) == ("done", 25)
        assert sorted(seen) == [f"{n:02}" for n in range(25)]

    @pytest.mark.parametrize("batch_size", [1, 3, 100])
    def test_limit(self, db, people, seen, batch_size):
        """A run with a limit ends after so many items, and the next one continues there."""
        states = [db.migrate(limit=10, batch_size=batch_size)[0].state for _ in range(3)]

        assert states == ["stopped", "stopped", "done"]
        assert sorted(seen) == [f"{n:02}" for n in range(25)]

    def test_limit_of_several(self, db, people, seen):
        """The limit is one for all migrations of a run."""
        db.migrate("0001-split-names", repeat=True, limit=18)

        first = db.migrate(limit=5)
        second = db.migrate(limit=5)

        assert [(status.id, status.state) for status in first] == [("0001-split-names", "stopped")]
        assert [status.id for status in second] == ["0001-split-names", "0002-look"]
        assert len(seen) == 3

    def test_failed_item(self, db, people, names, split):
        """A run that failed continues with the item that failed."""
        calls = []

        @db.migration("0002", people)
        def fail_once(item):
            calls.append(item.id)
            if len(calls) == 5:
                raise LookupError

        with pytest.raises(MigrationError, match=r"0002: the item id='(..)' failed: LookupError: "):
            db.migrate()
        (failed,) = [status for status in db.migrations() if status.id == "0002"]
        (done,) = db.migrate()

        assert (failed.state, failed.read) == ("failed", 4)
        assert (done.state, done.read, done.failure) == ("done", 25, None)
        assert calls[4] == calls[5]
        assert len(calls) == 26

    def test_items_that_wait(self, db, people, seen, monkeypatch):
        """A round has a bound of time; items that were read wait for the next one."""
        monkeypatch.setattr("flask_pynamodb.migrations.run._ROUND_SECONDS", 0)
        scans = []
        count = lambda connection, operation, **details: scans.append(operation)  # noqa: E731

        with call_finished.connected_to(count):
            db.migrate()

        assert scans.count("Scan") == 1
        assert sorted(seen) == [f"{n:02}" for n in range(25)]

    def test_binary_keys(self, db, context, settings):
        """A position is a key of any type."""

        class Blob(db.Model):
            id = UnicodeAttribute(hash_key=True)
            part = UnicodeAttribute(range_key=True)

        seen = []
        db.migration("1", Blob)(lambda item: seen.append((item.id, item.part)))
        db.create_all()
        keys = [("é\x00", part) for part in ("a", "b", "c")]
        for key in keys:
            Blob(*key).save()

        for _ in range(3):
            db.migrate(limit=1)

        assert seen == keys


class TestRepeat:
    def test_done(self, db, people, seen):
        """A migration that is done can be repeated from the beginning."""
        db.migrate()
        (again,) = db.migrate("0002-look", repeat=True)

        assert (again.state, again.read) == ("done", 25)
        assert len(seen) == 50

    def test_stopped(self, db, people, seen):
        """A repetition that was stopped is not done any more, and continues."""
        db.migrate()
        (stopped,) = db.migrate("0002-look", repeat=True, limit=5)
        (done,) = db.migrate()

        assert (stopped.state, stopped.read) == ("stopped", 5)
        assert (done.state, done.read) == ("done", 25)
        assert len(seen) == 50

    def test_which(self, db, people):
        """A repetition needs the ID of a migration."""
        with pytest.raises(MigrationError, match="name it"):
            db.migrate(repeat=True)


class TestDryRun:
    def test_writes_nothing(self, db, people, names):
        """The functions are called, and neither items nor the history are written."""
        before = names()
        (status,) = db.migrate(dry_run=True)

        assert (status.state, status.read, status.changed) == ("pending", 25, 25)
        assert names() == before
        assert [status.read for status in db.migrations()] == [0]

    def test_continues(self, db, people):
        """It begins where the next run would."""
        db.migrate(limit=10)
        (rest,) = db.migrate(dry_run=True)
        (all_items,) = db.migrate("0001-split-names", dry_run=True, repeat=True)

        assert (rest.read, rest.changed) == (15, 15)
        assert (all_items.read, all_items.changed) == (25, 15)

    def test_failure(self, db, people):
        """An item that fails is reported, and not stored."""

        @db.migration("0002", people)
        def fail(item):
            raise LookupError

        with pytest.raises(MigrationError, match="LookupError"):
            db.migrate(dry_run=True)

        assert [status.state for status in db.migrations()] == ["pending", "pending"]


class TestOrder:
    @pytest.fixture
    def declare(self, db, people):
        """Declares migrations that do nothing."""

        def declare(*ids):
            for migration_id in ids:
                db.migration(migration_id, people)(lambda item: None)

        return declare

    def test_of_ids(self, db, declare):
        """Migrations run in the order of their IDs, whatever the order of the declarations."""
        declare("0003", "0002")

        assert [one.id for one in db.migrate()] == ["0001-split-names", "0002", "0003"]

    def test_up_to(self, db, declare):
        """A run ends with the migration that it is given."""
        declare("0002", "0003")

        assert [one.id for one in db.migrate("0002")] == ["0001-split-names", "0002"]
        assert [one.id for one in db.migrate()] == ["0003"]

    def test_stop_between(self, db, declare):
        """A run that is to stop starts no further migration."""
        declare("0002", "0003")
        ended = []

        db.migrate(
            on_progress=lambda status: ended.append(status.id), should_stop=lambda: len(ended) == 2
        )

        assert [status.state for status in db.migrations()] == ["done", "done", "pending"]

    def test_unknown(self, db, declare):
        """An unknown migration is an error that lists those that exist."""
        with pytest.raises(MigrationError) as unknown:
            db.migrate("0002")

        expected = "There is no migration '0002'. Declared are 0001-split-names."
        assert str(unknown.value) == expected

    def test_unknown_without_any(self, db, context):
        """The same where none is declared."""
        with pytest.raises(MigrationError, match=r"no migration '0002'. None is declared."):
            db.migrate("0002")

    def test_inserted(self, db, declare):
        """A new migration that comes before one that has been started is rejected."""
        db.migrate()
        declare("0000")

        with pytest.raises(MigrationError, match="0000: it comes before 0001-split-names"):
            db.migrate()

    def test_removed(self, db, people, make_db):
        """A migration without its code cannot be finished; the release that has it can."""
        db.migrate(limit=5)
        other = make_db()
        other.migration("0002", other.models[0])(lambda item: None)

        with other.current_database().context():
            with pytest.raises(MigrationError, match="0001-split-names: it was started and is not"):
                other.migrate()
            (removed, _) = other.migrations()
        db.migrate()

        assert (removed.state, removed.is_declared) == ("stopped", False)

    def test_removed_and_done(self, db, people, make_db):
        """The code of a migration that is done may be removed."""
        db.migrate()
        other = make_db()
        other.migration("0002", other.models[0])(lambda item: None)

        with other.current_database().context():
            (status,) = other.migrate()
            removed, _ = other.migrations()

        assert (status.id, status.state) == ("0002", "done")
        assert (removed.id, removed.state, removed.is_declared) == (
            "0001-split-names",
            "done",
            False,
        )

    def test_other_table(self, db, people, make_db):
        """A migration that was started on another table is another one."""
        db.migrate(limit=5)
        other = make_db("pet")
        other.migration("0001-split-names", other.models[0])(lambda item: None)

        with (
            other.current_database().context(),
            pytest.raises(MigrationError, match=r"on the table \S+person, and is declared for"),
        ):
            other.migrate()

    @pytest.fixture
    def make_db(self, make_app):
        """Makes the extension of another release, with one model."""

        def make(name="person"):
            other = PynamoDB(make_app())

            class Other(other.Model):
                class Meta:
                    table_name = name

                id = UnicodeAttribute(hash_key=True)

            return other

        return make


class TestHistory:
    def test_table(self, db, person, split_names, context, settings):
        """The table of the history is one of the app's tables, with the prefix of all."""
        name = f"{settings['DYNAMODB_TABLE_PREFIX']}migrations"

        assert f"created {name}" in db.create_all()
        assert db.check_all() == []
        assert name in db.drop_all()

    def test_setting(self, db, person, split_names, make_app, settings):
        """Each app names it."""
        app = make_app(DYNAMODB_MIGRATIONS_TABLE="history")
        db.init_app(app)

        with app.app_context():
            created = db.create_all()
            (status,) = db.migrate()

        assert f"created {settings['DYNAMODB_TABLE_PREFIX']}history" in created
        assert status.state == "done"

    def test_missing(self, db, people):
        """Without the table the error says what to do."""
        db.models[-1].delete_table()

        with pytest.raises(MigrationError, match="migrations of the history of migrations is miss"):
            db.migrate()
        with pytest.raises(MigrationError, match="run `flask dynamodb create`"):
            db.migrations()

    def test_without_access(self, db, people, make_app):
        """Any other error of the history is DynamoDB's own."""
        app = make_app(DYNAMODB_HOST="http://127.0.0.1:9", DYNAMODB_MAX_RETRY_ATTEMPTS=0)
        db.init_app(app)

        with app.app_context(), pytest.raises(Exception, match="Failed to query items"):
            db.migrations()

    def test_binds(self, db, person, split_names, make_app, settings):
        """Each database has the history of its own migrations."""

        class Archived(db.Model):
            __bind_key__ = "archive"
            id = UnicodeAttribute(hash_key=True)

        db.migration("0000-archive", Archived)(lambda item: None)
        prefix = f"archive-{settings['DYNAMODB_TABLE_PREFIX']}"
        app = make_app(DYNAMODB_BINDS={"archive": {"TABLE_PREFIX": prefix}})
        db.init_app(app)

        with app.app_context():
            assert f"created {prefix}migrations" in db.create_all("archive")
            assert [one.id for one in db.migrate(bind_key="archive")] == ["0000-archive"]
            assert [one.bind_key for one in db.migrations("archive")] == ["archive"]
            with pytest.raises(MigrationError, match="no migration '0001-split-names'"):
                db.migrate("0001-split-names", bind_key="archive")
            with pytest.raises(ConfigurationError, match="'elsewhere'"):
                db.migrate(bind_key="elsewhere")
            db.create_all(None)
            assert [one.id for one in db.migrate()] == ["0001-split-names"]


class TestDeclaration:
    @pytest.mark.parametrize("migration_id", ["", "a b", "../x", "x" * 101, "-1"])
    def test_id(self, db, person, migration_id):
        """An ID has few characters, so that it can be typed and printed."""
        with pytest.raises(ValueError, match="ID of a migration has 1 to 100 letters"):
            db.migration(migration_id, person)

    def test_repeated_id(self, db, person, split_names):
        """An ID is that of one migration."""
        with pytest.raises(ValueError, match="There is a migration '0001-split-names' already"):
            db.migration("0001-split-names", person)(lambda item: None)

    @pytest.mark.parametrize("change", [lambda: None, lambda a, b, c: None])
    def test_parameters(self, db, person, change):
        """A function takes an item, and a transaction if it wants one."""
        with pytest.raises(TypeError, match="takes an item, or an item and a transaction, not"):
            db.migration("1", person)(change)

    def test_function(self, db, person):
        """The function is returned unchanged."""
        change = lambda item: None  # noqa: E731

        assert db.migration("1", person)(change) is change

    def test_model(self, db, make_app):
        """The model is one of the extension, and has a table."""

        class Base(db.Model):
            __abstract__ = True

        with pytest.raises(TypeError, match="needs a model of this extension that has a table"):
            db.migration("1", Base)
        with pytest.raises(TypeError, match="needs a model of this extension that has a table"):
            db.migration("1", db.Model)
