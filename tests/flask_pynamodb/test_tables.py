"""Make, check and drop tables, by call and by command."""

import json
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest
from pynamodb.attributes import TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException, TableError
from pynamodb.indexes import (
    AllProjection,
    GlobalSecondaryIndex,
    IncludeProjection,
    LocalSecondaryIndex,
)

from flask_pynamodb import PynamoDB
from tests.support.faulty_proxy import overtaken


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


@pytest.fixture
def old_note():
    """A table as an older release of the app created it: no index, no expiry, no stream."""

    class Note(PynamoDB().Model):
        class Meta:
            table_name = "note"

        id = UnicodeAttribute(hash_key=True)

    return Note


@pytest.fixture
def new_note(db):
    class ByOwner(GlobalSecondaryIndex):
        class Meta:
            index_name = "by_owner"
            projection = AllProjection()

        owner = UnicodeAttribute(hash_key=True)

    class ByMood(GlobalSecondaryIndex):
        class Meta:
            index_name = "by_mood"
            projection = IncludeProjection(["text"])

        mood = UnicodeAttribute(hash_key=True)

    class Note(db.Model):
        class Meta:
            stream_view_type = "NEW_IMAGE"
            tags = {"team": "notes"}

        by_owner = ByOwner()
        by_mood = ByMood()
        id = UnicodeAttribute(hash_key=True)
        owner = UnicodeAttribute()
        mood = UnicodeAttribute()
        expires = TTLAttribute()

    return Note


class TestCreateAll:
    def test_twice(self, db, note, context):
        """The first call makes the tables, the second finds nothing to do."""
        assert db.create_all() == [f"created {note.Meta.table_name}"]
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


class TestUpdate:
    def test_indexes_and_expiry_are_added(self, db, old_note, new_note, make_app, app):
        """A newer release adds what the table lacks; the items stay."""
        old_app = make_app()
        old_note._db.init_app(old_app)
        with old_app.app_context():
            old_note._db.create_all()
            old_note("1").save()

        with app.app_context():
            lacking = db.check_all()
            done = db.create_all()
            name = new_note.Meta.table_name
            assert {
                f"table {name} lacks the index by_owner",
                f"table {name} lacks the index by_mood",
                f"table {name} lacks time to live on expires",
                f"table {name} lacks a stream of NEW_IMAGE",
                f"table {name} lacks the tag team=notes",
            } == set(lacking)
            assert set(done) == {
                f"added the index by_owner to {name}",
                f"added the index by_mood to {name}",
                f"set time to live on {name}",
                f"added a stream to {name}",
                f"tagged {name}",
            }
            assert db.check_all() == []
            assert db.create_all() == []
            with db.allow_scan():
                assert [row.id for row in new_note.scan(attributes_to_get=["id"])] == ["1"]

    def test_made_complete(self, db, new_note, context):
        """A table created at once has everything from the start."""
        db.create_all()

        assert db.check_all() == []


class TestUpdateRace:
    @pytest.fixture
    def host(self, dynamodb_engine):
        """Moto's server answers 500 to updates that race."""
        return dynamodb_engine.host

    def test_from_two_hosts_at_once(self, db, old_note, new_note, make_app, app):
        """Hosts that update one table together all end with it complete, and none fails."""
        old_app = make_app()
        old_note._db.init_app(old_app)
        with old_app.app_context():
            old_note._db.create_all()
        start, failures = threading.Barrier(4), []

        def create():
            with app.app_context():
                start.wait()
                try:
                    db.create_all()
                except PynamoDBException as error:
                    failures.append(error)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        with app.app_context():
            assert failures == []
            assert db.check_all() == []


class TestOvertaken:
    """Another host makes each change between this one's look at a table and its own change."""

    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    def test_with_a_table(self, db, note, proxy, context):
        """A table that another host has just created is not our work, and no reason to fail."""
        proxy.always("CreateTable", overtaken)
        proxy.always("UpdateTimeToLive", overtaken)

        assert db.create_all() == []
        assert db.check_all() == []

    def test_with_what_a_table_lacks(self, db, old_note, new_note, proxy, make_app, app):
        """Neither is an index, a stream or a time to live."""
        old_app = make_app()
        old_note._db.init_app(old_app)
        with old_app.app_context():
            old_note._db.create_all()
        proxy.always("UpdateTable", overtaken)
        proxy.always("UpdateTimeToLive", overtaken)

        with app.app_context():
            # A table may be tagged twice at the same time.
            assert db.create_all() == [f"tagged {new_note.Meta.table_name}"]
            assert db.check_all() == []

    def test_with_dropping_a_table(self, db, note, proxy, context):
        """A table that another host has just dropped is as gone as if we had done it."""
        db.create_all()
        proxy.always("DeleteTable", overtaken)

        assert db.drop_all() == []
        assert not note.exists()


class TestSlowTable:
    """On AWS a table takes its time; the engines here are created to say so."""

    @pytest.fixture
    def status(self, db, note, context, monkeypatch):
        """What DynamoDB is created to say of a table, one status an answer; then the truth."""
        monkeypatch.setattr("flask_pynamodb.tables._POLL_SECONDS", 0.01)
        statuses = []

        def say(parsed, **_):
            table = parsed.get("Table") or parsed.get("TableDescription")
            if statuses and table:
                table["TableStatus"] = statuses.pop(0)

        for operation in ("CreateTable", "DescribeTable"):
            db.connection.client.meta.events.register(f"after-call.dynamodb.{operation}", say)
        return statuses

    def test_waits(self, db, note, status):
        """A table that is being created is waited for."""
        status += ["CREATING", "CREATING"]

        assert db.create_all() == [f"created {note.Meta.table_name}"]
        assert status == []

    def test_gives_up(self, db, note, status, monkeypatch):
        """A table that never comes is an error, not an endless wait."""
        monkeypatch.setattr("flask_pynamodb.tables._MAX_WAIT_SECONDS", 0.05)
        status += ["CREATING"] * 1000

        with pytest.raises(TableError, match="not active after"):
            db.create_all()

    def test_going(self, db, note, status):
        """A table that is being deleted is reported with its status."""
        db.create_all()
        status += ["DELETING"]

        assert db.check_all() == [f"table {note.Meta.table_name} is deleting"]


class TestRecovery:
    @pytest.fixture
    def ledger(self, db):
        class Ledger(db.Model):
            class Meta:
                point_in_time_recovery = True

            id = UnicodeAttribute(hash_key=True)

        return Ledger

    @pytest.fixture
    def host(self, moto_host):
        """Only moto knows backups."""
        return moto_host

    def test_turned_on(self, db, ledger, context):
        """Recovery that the model declares is turned on, once."""
        db.create_all()

        assert db.check_all() == []
        assert db.create_all() == []

    def test_turned_off_by_hand(self, db, ledger, context):
        """A check reports point-in-time recovery that was turned off."""
        db.create_all()
        db.connection.client.update_continuous_backups(
            TableName=ledger.Meta.table_name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
        )

        assert db.check_all() == [f"table {ledger.Meta.table_name} lacks point-in-time recovery"]

    def test_unknown_to_the_endpoint(self, db, ledger, make_app, dynamodb_engine):
        """An engine without backups is no reason to fail."""
        app = make_app(DYNAMODB_HOST=dynamodb_engine.host)
        db.init_app(app)

        with app.app_context():
            db.create_all()
            assert db.check_all() == []


class TestCheckAll:
    def test_other_keys(self, db, note, context):
        """A different key, which cannot be changed, is reported with both keys."""
        name = note.Meta.table_name
        db.connection.client.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "owner", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_owner",
                    "KeySchema": [
                        {"AttributeName": "owner", "KeyType": "HASH"},
                        {"AttributeName": "id", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                }
            ],
            ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
        )

        problems = db.check_all()

        assert f"table {name} has the key id instead of id/line" in problems
        assert f"index by_owner of table {name} has the key owner/id instead of owner" in problems
        assert f"table {name} is billed PROVISIONED instead of PAY_PER_REQUEST" in problems

    def test_other_projection(self, db, context):
        """An index with a smaller projection is reported."""

        class ByOwner(GlobalSecondaryIndex):
            class Meta:
                index_name = "by_owner"
                projection = AllProjection()

            owner = UnicodeAttribute(hash_key=True)

        class Slip(db.Model):
            by_owner = ByOwner()
            id = UnicodeAttribute(hash_key=True)
            owner = UnicodeAttribute()

        db.create_all()
        ByOwner.Meta.projection = IncludeProjection(["text", "line"])

        assert db.check_all() == [
            f"index by_owner of table {Slip.Meta.table_name} holds ALL"
            " instead of INCLUDE line, text"
        ]

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

    @pytest.mark.dynoxide
    def test_impossible_name(self, db, note, make_app, dynamodb_engine):
        """What DynamoDB refuses for another reason is an error, with the table's name."""
        app = make_app(DYNAMODB_HOST=dynamodb_engine.host, DYNAMODB_TABLE_NAMER=lambda name: "x")
        db.init_app(app)

        with app.app_context(), pytest.raises(TableError, match="Table x: "):
            db.check_all()


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

    def test_drop_does_not_ask(self, run, note):
        """With `--yes` nothing is asked, for scripts."""
        run("create")

        assert run("drop", "--yes").output.startswith("dropped ")

    def test_life_of_a_table(self, run, note, settings):
        """Made, checked, dropped after a question, and missing again."""
        name = settings["DYNAMODB_TABLE_PREFIX"] + "note"

        assert f"created {name}" in run("create").output
        assert run("check").exit_code == 0
        refused = run("drop", input="n\n")
        assert refused.exit_code == 1
        assert f"{settings['DYNAMODB_REGION']}, {settings['DYNAMODB_HOST']}:\n  {name}" in (
            refused.output
        )
        assert f"dropped {name}" in run("drop", input="y\n").output
        missing = run("check")
        assert (missing.exit_code, missing.output) == (1, f"table {name} is missing\n")

    def test_describe(self, run, note, settings):
        """Each table is shown with its keys and indexes, or as missing."""
        name = settings["DYNAMODB_TABLE_PREFIX"] + "note"

        assert run("describe").output == f"{name}: missing\n"
        run("create")
        assert run("describe").output.splitlines() == [
            f"{name}: active, about 0 items",
            "  key id / line",
            "  index by_owner: owner",
            "  index by_mood: id / mood",
        ]

    def test_iam_policy(self, run, note, settings):
        """The policy names exactly the app's tables and indexes, for run time and for set-up."""
        name = settings["DYNAMODB_TABLE_PREFIX"] + "note"
        table = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{name}"

        policy = json.loads(run("iam-policy", "--account", "123456789012").output)

        run_time, set_up = policy["Statement"]
        assert run_time["Resource"] == [table, f"{table}/index/by_mood", f"{table}/index/by_owner"]
        assert set_up["Resource"] == [table]
        assert "dynamodb:CreateTable" in set_up["Action"]
        assert "dynamodb:CreateTable" not in run_time["Action"]
        assert not any("*" in action for action in run_time["Action"] + set_up["Action"])

    @pytest.mark.parametrize(("allowed", "listed"), [(True, True), (False, False)])
    def test_iam_policy_and_scan(self, db, note, make_app, allowed, listed):
        """Only an app that may Scan is allowed to."""
        app = make_app(DYNAMODB_ALLOW_SCAN=allowed)
        db.init_app(app)

        policy = json.loads(app.test_cli_runner().invoke(args=["dynamodb", "iam-policy"]).output)

        assert ("dynamodb:Scan" in policy["Statement"][0]["Action"]) is listed

    @pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
    def test_local(self, tmp_path, stop, dynamodb_engine_binary):
        """`local` runs an engine until it is stopped, and then leaves nothing behind."""
        (tmp_path / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
        command = [sys.executable, "-m", "flask", "dynamodb", "local", "--data", "data"]
        command += ["--engine", str(dynamodb_engine_binary)]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline() for _ in range(4)]
            host = lines[1].partition("DYNAMODB_HOST=")[2].strip()
            address = urlsplit(host).hostname, urlsplit(host).port
            socket.create_connection(address).close()

            process.send_signal(stop)

            assert process.wait(timeout=20) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    def test_local_engine_missing(self, run, monkeypatch):
        """Without an engine `local` says in one line what to do."""
        monkeypatch.setenv("DYNAMODB_ENGINE", "/nonexistent")

        result = run("local")

        assert result.exit_code == 1
        assert result.output.startswith("Error: ")

    def test_out_of_reach(self, db, note, make_app):
        """A dead endpoint is one line and a non-zero exit."""
        app = make_app(DYNAMODB_HOST="http://127.0.0.1:9", DYNAMODB_MAX_RETRY_ATTEMPTS=0)
        db.init_app(app)

        result = app.test_cli_runner().invoke(args=["dynamodb", "create"])

        assert result.exit_code == 1
        assert result.output.startswith("Error: DynamoDB is not reachable")
        assert result.output.count("\n") == 1

    def test_no_database(self, db, make_app):
        """An app without the extension is an error that says what to do, not an outage."""
        app = make_app()
        db.init_app(app)
        del app.extensions["pynamodb"]

        error = app.test_cli_runner().invoke(args=["dynamodb", "check"]).exception

        assert isinstance(error, RuntimeError)
        assert "db.init_app(app)" in str(error)
