"""Make, check and drop tables, by call and by command."""

import threading

import pytest
from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex


@pytest.fixture
def note(db):
    class ByOwner(GlobalSecondaryIndex):
        class Meta:
            index_name = "by_owner"
            projection = AllProjection()
            read_capacity_units = 1
            write_capacity_units = 1

        owner = UnicodeAttribute(hash_key=True)

    class ByMood(LocalSecondaryIndex):
        class Meta:
            index_name = "by_mood"
            projection = AllProjection()

        id = UnicodeAttribute(hash_key=True)
        mood = UnicodeAttribute(range_key=True)

    class Note(db.Model):
        by_owner = ByOwner()
        by_mood = ByMood()
        id = UnicodeAttribute(hash_key=True)
        line = UnicodeAttribute(range_key=True)
        owner = UnicodeAttribute()
        mood = UnicodeAttribute()
        expires = TTLAttribute()

    return Note


class TestCreateAll:
    def test_twice(self, db, note, context):
        """The first call makes the tables, the second finds nothing to do."""
        assert db.create_all() == [f"made {note.Meta.table_name}"]
        assert db.create_all() == []
        assert db.check_all() == []

    def test_from_two_hosts_at_once(self, db, note, app, context):
        """Two hosts that start together both end with tables, and neither fails."""
        start, made, failures = threading.Barrier(4), [], []

        def create():
            with app.app_context():
                start.wait()
                try:
                    made.extend(db.create_all())
                except PynamoDBException as error:
                    failures.append(error)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert db.check_all() == []

    def test_on_demand(self, db, note, context):
        """Without capacity units tables are on demand."""
        db.create_all()

        assert note.describe_table()["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

    def test_provisioned(self, db, note, make_app):
        """With capacity units they are provisioned."""
        app = make_app(DYNAMODB_READ_CAPACITY_UNITS=3, DYNAMODB_WRITE_CAPACITY_UNITS=2)
        db.init_app(app)

        with app.app_context():
            db.create_all()
            throughput = note.describe_table()["ProvisionedThroughput"]

        assert (throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]) == (3, 2)

    def test_own_capacity_wins(self, db, context):
        """A model's own billing wins over the app's."""

        class Busy(db.Model):
            class Meta:
                billing_mode = "PROVISIONED"
                read_capacity_units = 7
                write_capacity_units = 8

            id = UnicodeAttribute(hash_key=True)

        db.create_all()

        assert Busy.describe_table()["ProvisionedThroughput"]["ReadCapacityUnits"] == 7


class TestCheckAll:
    def test_missing_table(self, db, note, context):
        """A missing table is one line."""
        assert db.check_all() == [f"table {note.Meta.table_name} is missing"]

    def test_missing_index_and_expiry(self, db, note, context):
        """A table of an older release lacks its index and its expiry."""
        name = note.Meta.table_name
        db.connection.create_table(
            name,
            attribute_definitions=[
                {"attribute_name": "id", "attribute_type": "S"},
                {"attribute_name": "line", "attribute_type": "S"},
            ],
            key_schema=[
                {"AttributeName": "id", "KeyType": "HASH"},
                {"AttributeName": "line", "KeyType": "RANGE"},
            ],
            billing_mode="PAY_PER_REQUEST",
        )

        assert sorted(db.check_all()) == [
            f"table {name} lacks the index by_mood",
            f"table {name} lacks the index by_owner",
            f"table {name} lacks time to live on expires",
        ]


class TestDropAll:
    def test_twice(self, db, note, context):
        """The first call drops the tables, the second finds none."""
        db.create_all()

        assert db.drop_all() == [note.Meta.table_name]
        assert db.drop_all() == []


class TestCommands:
    @pytest.fixture
    def run(self, app):
        return lambda *words, **options: app.test_cli_runner().invoke(
            args=["dynamodb", *words], **options
        )

    def test_life_of_a_table(self, run, note, settings):
        """Made, checked, dropped after a question, and missing again."""
        name = settings["DYNAMODB_TABLE_PREFIX"] + "note"

        assert f"made {name}" in run("create").output
        assert run("check").exit_code == 0
        assert run("drop", input="n\n").exit_code == 1
        assert f"dropped {name}" in run("drop", input="y\n").output
        missing = run("check")
        assert (missing.exit_code, missing.output) == (1, f"table {name} is missing\n")

    def test_out_of_reach(self, db, note, make_app):
        """A dead endpoint is one line and a non-zero exit."""
        app = make_app(DYNAMODB_HOST="http://127.0.0.1:9", DYNAMODB_MAX_RETRY_ATTEMPTS=0)
        db.init_app(app)

        result = app.test_cli_runner().invoke(args=["dynamodb", "create"])

        assert result.exit_code == 1
        assert result.output.startswith("Error: DynamoDB is out of reach")
        assert result.output.count("\n") == 1

    def test_no_database(self, db, make_app):
        """Another error is not disguised as an outage."""
        app = make_app()
        db.init_app(app)
        del app.extensions["pynamodb"]

        assert isinstance(
            app.test_cli_runner().invoke(args=["dynamodb", "check"]).exception, KeyError
        )
