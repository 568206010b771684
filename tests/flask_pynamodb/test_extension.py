"""The contract between the extension, its apps and its models."""

import threading

import pytest
from flask import Flask
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import GetError

from flask_pynamodb import PynamoDB, is_unavailable
from flask_pynamodb.curl import CurlClient
from flask_pynamodb.settings import DEFAULTS
from tests.support.faulty_proxy import half_processed, unprocessed


@pytest.fixture
def todo(db):
    class Todo(db.Model):
        id = UnicodeAttribute(hash_key=True)
        text = UnicodeAttribute(null=True)

    return Todo


@pytest.fixture
def reading(db):
    class Reading(db.Model):
        sensor = UnicodeAttribute(hash_key=True)
        at = NumberAttribute(range_key=True)

    return Reading


class TestInitApp:
    def test_at_once(self, make_app):
        """`PynamoDB(app)` registers like `init_app`."""
        app = make_app()

        db = PynamoDB(app)

        assert app.extensions["pynamodb"].database is db

    def test_defaults(self, db):
        """Every key has a default, and what the app says stays."""
        app = Flask("bare")
        app.config["DYNAMODB_REGION"] = "eu-north-1"

        db.init_app(app)

        assert {key: app.config[key] for key in DEFAULTS} == {
            **DEFAULTS,
            "DYNAMODB_REGION": "eu-north-1",
        }

    def test_former_transport(self, db):
        """The former name of the transport `curl` is accepted."""
        app = Flask("former")
        app.config.update(DYNAMODB_TRANSPORT="lean", DYNAMODB_REGION="eu-central-1")
        db.init_app(app)

        with app.app_context():
            assert isinstance(db.connection.client, CurlClient)

    def test_twice(self, app):
        """A second registration on one app says what to do instead."""
        with pytest.raises(RuntimeError, match="already has a PynamoDB extension"):
            PynamoDB(app)

    @pytest.mark.parametrize("app", [None, "an app", Flask])
    def test_no_app(self, db, app):
        """Something that is no Flask app is refused."""
        with pytest.raises(TypeError, match="takes a Flask app"):
            db.init_app(app)


class TestShell:
    def test_names(self, db, todo, reading, make_app):
        """`flask shell` has the models by their names, and the extension as `db`."""
        app = make_app()
        db.init_app(app)

        names = app.make_shell_context()

        assert names.keys() >= {"app", "db", "Todo", "Reading"}
        assert (names["db"], names["Todo"], names["Reading"]) == (db, todo, reading)


class TestContext:
    def test_model_without_app(self, todo):
        """A model used outside an app context says what to do."""
        with pytest.raises(RuntimeError, match="app_context"):
            todo.get("1")

    def test_app_without_extension(self, todo):
        """An app that was never registered says what to do."""
        with Flask("stranger").app_context(), pytest.raises(RuntimeError, match="init_app"):
            todo.get("1")

    def test_connection(self, db, context, settings):
        """`db.connection` is PynamoDB's low-level connection, made from the app's settings."""
        assert isinstance(db.connection, Connection)
        assert db.connection.host == settings["DYNAMODB_HOST"]
        assert db.connection.list_tables()["TableNames"] is not None

    def test_timeouts(self, db, make_app):
        """Connect and read timeouts reach botocore, each in its place."""
        app = make_app(DYNAMODB_CONNECT_TIMEOUT_SECONDS=3.5, DYNAMODB_READ_TIMEOUT_SECONDS=7.5)
        db.init_app(app)

        with app.app_context():
            botocore_config = db.connection.client.meta.config

        assert botocore_config.connect_timeout == 3.5
        assert botocore_config.read_timeout == 7.5


class TestSeveralApps:
    def test_prefixes(self, db, todo, make_app):
        """One model, two apps: each reads and writes its own table."""
        one, two = make_app(DYNAMODB_TABLE_PREFIX="one-"), make_app(DYNAMODB_TABLE_PREFIX="two-")
        for app in (one, two):
            db.init_app(app)
            with app.app_context():
                db.create_all()
                todo("1", text=todo.Meta.table_name).save()

        with one.app_context():
            assert todo.get("1").text == "one-todo"
            assert [item.text for item in todo.batch_get(["1"])] == ["one-todo"]
        with two.app_context():
            assert todo.get("1").text == "two-todo"
            assert [item.text for item in todo.batch_get(["1"])] == ["two-todo"]
            db.drop_all()
        with one.app_context():
            db.drop_all()

    def test_threads_make_one_client(self, db, app):
        """However many threads ask first, one client is made."""
        clients, start = set(), threading.Barrier(8)

        def ask():
            with app.app_context():
                start.wait()
                clients.add(id(db.connection.client))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(clients) == 1


class TestGetMany:
    def test_several_tables(self, db, todo, reading, context):
        """Items of two tables come in the order of the keys, None for each absent one."""
        db.create_all()
        todo("1", text="one").save()
        reading("s", 5).save()

        first, absent, second = db.get_many((todo, "1"), (todo, "2"), (reading, "s", 5))

        assert (first.text, absent, second.at) == ("one", None, 5)

    def test_repeated_key(self, db, todo, reading, context):
        """A key that is given twice is read once, and answered twice."""
        db.create_all()
        todo("1", text="one").save()
        reading("s", 5).save()

        found = db.get_many((todo, "1"), (reading, "s", 5), (todo, "1"), (reading, "s", 5.0))

        assert [getattr(item, "text", "at 5") for item in found] == ["one", "at 5"] * 2

    def test_many(self, db, todo, context):
        """More than 100 keys are read in several requests."""
        db.create_all()
        with todo.batch_write() as batch:
            for n in range(150):
                batch.save(todo(f"{n}", text=f"text {n}"))

        found = db.get_many(*((todo, f"{n}") for n in range(205)))

        assert [item and item.text for item in found] == [
            *(f"text {n}" for n in range(150)),
            *[None] * 55,
        ]

    @pytest.mark.parametrize("number", [100, 100.0, 1e2], ids=str)
    @pytest.mark.parametrize("stored", [100, 1e2])
    def test_number_key(self, db, reading, context, number, stored):
        """A number is found however it is written."""
        db.create_all()
        reading("s", stored).save()

        assert db.get_many((reading, "s", number)) != [None]

    def test_impossible_key(self, db, reading, context):
        """A key that is no number is DynamoDB's error, not an absent item."""
        db.create_all()

        with pytest.raises(GetError):
            db.get_many((reading, "s", "five"))

    def test_no_key(self, db, context):
        """Without keys there are no items, and no request."""
        assert db.get_many() == []

    def test_missing_table(self, db, todo, context):
        """A missing table is unavailable, not absent."""
        with pytest.raises(GetError) as failed:
            db.get_many((todo, "1"))

        assert is_unavailable(failed.value)


class TestUnprocessedKeys:
    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    @pytest.fixture(autouse=True)
    def impatience(self, monkeypatch):
        """Divide the delays between attempts by a thousand."""
        monkeypatch.setattr("flask_pynamodb.batch._FIRST_DELAY_SECONDS", 0.000025)

    @pytest.mark.parametrize("fault", [unprocessed, half_processed])
    def test_left_once(self, db, todo, reading, context, proxy, fault):
        """Keys that DynamoDB had no capacity for are asked for again, and those alone."""
        db.create_all()
        todo("1", text="one").save()
        reading("s", 5).save()
        proxy.next("BatchGetItem", fault)

        first, second = db.get_many((todo, "1"), (reading, "s", 5))

        assert (first.text, second.at) == ("one", 5)
        assert proxy.count("BatchGetItem") == 2

    def test_left_for_long(self, db, todo, context, proxy):
        """An item that could not be read is unavailable, not absent."""
        db.create_all()
        proxy.always("BatchGetItem", unprocessed)

        with pytest.raises(GetError, match="unprocessed") as failed:
            db.get_many((todo, "1"))

        assert is_unavailable(failed.value)


class TestPing:
    def test_every_table_answers(self, db, todo, reading, context):
        """A ping passes when every table answers, whatever the types of their keys."""
        db.create_all()

        assert db.ping() is None

    def test_one_is_missing(self, db, todo, reading, context):
        """One missing table fails the ping."""
        db.create_all()
        reading.delete_table()

        with pytest.raises(GetError):
            db.ping()


class TestMissingAccess:
    @pytest.fixture(autouse=True)
    def nothing_around(self, monkeypatch, tmp_path):
        """No credentials and no region anywhere that botocore looks."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def test_nothing_missing(self, db, context):
        """With a region and keys nothing is missing."""
        assert db.missing_access() == []

    def test_everything_missing(self, db):
        """Each missing thing is a line that names the settings."""
        app = Flask("bare")
        db.init_app(app)

        with app.app_context():
            region, credentials = db.missing_access()

        assert "DYNAMODB_REGION" in region
        assert "AWS_ACCESS_KEY_ID" in credentials

    def test_profile_that_does_not_exist(self, db, monkeypatch):
        """Nothing can be read from it, which is one line with its name and no crash."""
        monkeypatch.setenv("AWS_PROFILE", "nobody")
        app = Flask("bare")
        db.init_app(app)

        with app.app_context():
            (line,) = db.missing_access()

        assert line.startswith("no credentials: ")
        assert "nobody" in line
