"""The calls of a request, one by one."""

from pathlib import Path

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import GetError, PutError

from flask_pynamodb import ConfigurationError, recorded_calls, totals


@pytest.fixture
def todo(db):
    class Todo(db.Model):
        id = UnicodeAttribute(hash_key=True)

    return Todo


@pytest.fixture
def record(db, todo, make_app):
    """Runs work in an app with the given settings, and returns its recorded calls."""

    def record(work, **settings):
        app = make_app(**settings)
        db.init_app(app)
        with app.app_context():
            db.create_all()
        with app.app_context():
            work()
            return recorded_calls()

    return record


class TestRecordedCalls:
    def test_one_call(self, todo, record):
        """A call has its operation, table, time, tries, capacity and request ID."""
        (call,) = record(lambda: todo("1").save(), DYNAMODB_RECORD_CALLS=5)

        assert call.operation == "PutItem"
        assert [name.rpartition("-")[2] for name in call.tables] == ["todo"]
        assert call.duration > 0
        assert (call.tries, call.consumed_capacity, call.error) == (1, 1, None)
        assert call.request_id

    def test_location(self, todo, record):
        """It tells the line of the app, not that of a library."""
        (call,) = record(lambda: todo.query("1").total_count or list(todo.query("1")), DEBUG=True)

        assert call.location.startswith(f"{Path(__file__)}:")
        assert call.location.endswith(">)")

    def test_rejected(self, todo, record):
        """A rejected call has DynamoDB's error code, and no values."""

        def save():
            with pytest.raises(PutError):
                todo("secret").save(todo.id.exists())

        (call,) = record(save, DYNAMODB_RECORD_CALLS=5)

        assert call.error == "ConditionalCheckFailedException"
        assert "secret" not in repr(call)

    def test_not_reachable(self, db, todo, make_app):
        """A call without a response has the class of its error."""
        app = make_app(
            DYNAMODB_HOST="http://127.0.0.1:9",
            DYNAMODB_MAX_RETRY_ATTEMPTS=0,
            DYNAMODB_RECORD_CALLS=5,
        )
        db.init_app(app)
        with app.app_context():
            with pytest.raises(GetError):
                todo.get("1")

            assert [call.error for call in recorded_calls()] == ["EndpointConnectionError"]
            assert recorded_calls()[0].request_id is None

    def test_bound(self, todo, record):
        """The number of recorded calls is bounded; the totals count all."""
        counted = []

        def work():
            for _ in range(5):
                todo.exists()
                todo("1").save()
            counted.append(totals().calls)

        calls = record(work, DYNAMODB_RECORD_CALLS=2)

        assert len(calls) == 2
        assert counted == [10]

    def test_own_connection(self, db, todo, record):
        """Calls of a model with connection settings of its own are recorded, too."""

        class Far(db.Model):
            class Meta:
                read_timeout_seconds = 9.5

            id = UnicodeAttribute(hash_key=True)

        calls = record(lambda: Far("1").save(), DYNAMODB_RECORD_CALLS=2)

        assert [call.operation for call in calls] == ["PutItem"]

    def test_concurrent_calls(self, db, todo, record):
        """Calls of `db.gather` belong to the request."""
        calls = record(
            lambda: db.gather(*[lambda: list(todo.query("1"))] * 3), DYNAMODB_RECORD_CALLS=9
        )

        assert [call.operation for call in calls] == ["Query"] * 3
        assert {call.location.partition(":")[0] for call in calls} == {__file__}


class TestSetting:
    def save(self, todo):
        return lambda: todo("1").save()

    def test_production(self, todo, record):
        """Nothing is recorded by default."""
        assert record(self.save(todo)) == []

    @pytest.mark.parametrize("chosen", [{"DYNAMODB_DEBUG": True}, {"DEBUG": True}])
    def test_debug(self, todo, record, chosen):
        """Calls are recorded in both debug modes."""
        assert len(record(self.save(todo), **chosen)) == 1

    def test_off(self, todo, record):
        """0 switches it off in debug mode, too."""
        assert record(self.save(todo), DEBUG=True, DYNAMODB_RECORD_CALLS=0) == []

    @pytest.mark.parametrize("value", [-1, 10_001, "many"])
    def test_wrong(self, db, make_app, value):
        """The number is checked with the other settings."""
        with pytest.raises(ConfigurationError, match="RECORD_CALLS"):
            db.init_app(make_app(DYNAMODB_RECORD_CALLS=value))
