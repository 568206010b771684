"""What an app can see of its calls to DynamoDB."""

import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError

from flask_pynamodb import call_finished, call_started, totals
from flask_pynamodb.connection import AppConnection


@pytest.fixture
def todo(db, context):
    class Todo(db.Model):
        id = UnicodeAttribute(hash_key=True)

    db.create_all()
    return Todo


@pytest.fixture
def heard():
    """What the signals say, in order."""
    heard = []

    def hear_start(connection, **details):
        heard.append(("started", details))

    def hear_finish(connection, **details):
        heard.append(("finished", details))

    with call_started.connected_to(hear_start), call_finished.connected_to(hear_finish):
        yield heard


class TestSignals:
    def test_one_call(self, todo, heard):
        """The signals are sent before and after a call, with its duration and capacity."""
        todo("1").save()

        (_, start), (_, finish) = heard
        assert start == {"operation": "PutItem", "tables": (todo.Meta.table_name,)}
        assert finish["operation"] == "PutItem"
        assert finish["duration"] > 0
        assert (finish["tries"], finish["error"]) == (1, None)
        assert finish["consumed_capacity"] == 1

    def test_request_id(self, todo, heard):
        """A finished call has the ID under which AWS knows it, a failed one too."""
        todo("1").save()
        with pytest.raises(PutError):
            todo("1").save(todo.id.does_not_exist())

        ids = [details["request_id"] for kind, details in heard if kind == "finished"]
        assert len(set(ids)) == 2
        assert all(ids)

    @pytest.mark.parametrize("signal", [call_started, call_finished])
    def test_broken_receiver(self, todo, signal, caplog):
        """A receiver that fails neither hides what was stored nor what was rejected."""

        def fail(connection, **details):
            raise ZeroDivisionError

        with signal.connected_to(fail):
            todo("1").save()
            with pytest.raises(PutError):
                todo("1").save(todo.id.does_not_exist())

        assert todo.get("1").id == "1"
        own = [record for record in caplog.records if record.name == "flask_pynamodb.signals"]
        assert [record.exc_info[0] for record in own] == [ZeroDivisionError] * 2

    def test_several_tables(self, db, todo, heard):
        """Batches and transactions name each table once."""
        db.get_many((todo, "1"), (todo, "2"))
        with db.transaction() as transaction:
            transaction.save(todo("1"))
            transaction.save(todo("2"))

        assert [details["tables"] for kind, details in heard if kind == "started"] == [
            (todo.Meta.table_name,)
        ] * 2

    def test_no_table(self, db, todo, heard):
        """An operation on no table in particular names none."""
        db.connection.list_tables()

        assert heard[0][1] == {"operation": "ListTables", "tables": ()}

    def test_failure(self, todo, heard):
        """The signal of a rejected call has the error, which is still raised."""
        with pytest.raises(PutError):
            todo("1").save(todo.id.exists())

        assert heard[-1][1]["error"].response["Error"]["Code"] == "ConditionalCheckFailedException"
        assert heard[-1][1]["tries"] == 1

    def test_tries(self, db, todo, heard, make_app):
        """Retries are counted."""
        app = make_app(DYNAMODB_HOST="http://127.0.0.1:9", DYNAMODB_MAX_RETRY_ATTEMPTS=0)
        db.init_app(app)

        with app.app_context(), pytest.raises(PutError):
            todo("1").save()

        assert heard[-1][1]["tries"] == 1

    def test_failed_connections(self, db, todo, heard, make_app):
        """By curl, failed connections are counted; botocore's errors do not have the number."""
        app = make_app(
            DYNAMODB_HOST="http://127.0.0.1:9",
            DYNAMODB_MAX_RETRY_ATTEMPTS=2,
            DYNAMODB_TRANSPORT="curl",
        )
        db.init_app(app)

        with app.app_context(), pytest.raises(PutError):
            todo("1").save()

        assert heard[-1][1]["tries"] == 3
        assert heard[-1][1]["request_id"] is None


class TestTotals:
    def test_sum(self, todo):
        """The context's totals add up its calls."""
        before = totals().calls
        todo("1").save()
        todo.get("1")

        assert totals().calls == before + 2
        assert totals().tries >= totals().calls
        assert totals().seconds > 0
        assert totals().capacity >= 1.5


class TestNoContext:
    def test_connection_of_its_own(self, host, heard):
        """A connection used without any app tells its signals and counts nowhere."""
        connection = AppConnection(
            host=host,
            region="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

        connection.list_tables()

        assert [kind for kind, _ in heard] == ["started", "finished"]


class TestServerTiming:
    @pytest.fixture
    def get(self, db, make_app):
        """Requests a page that reads one item, with the given settings."""

        class Todo(db.Model):
            id = UnicodeAttribute(hash_key=True)

        def get(**settings) -> str | None:
            app: Flask = make_app(**settings)
            db.init_app(app)
            with app.app_context():
                db.create_all()
            app.add_url_rule("/", "page", lambda: str(db.get_many((Todo, "1"))))
            return app.test_client().get("/").headers.get("Server-Timing")

        return get

    def test_debug(self, get):
        """With DYNAMODB_DEBUG every response says what it cost."""
        header = get(DYNAMODB_DEBUG=True)

        assert header.startswith("dynamodb;dur=")
        assert '"1 calls, 1 tries, ' in header

    def test_production(self, get):
        """Without the setting there is no header."""
        assert get() is None
