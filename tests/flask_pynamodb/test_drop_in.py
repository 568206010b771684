"""Apps written for Flask-PynamoDB run as they are."""

import json
from uuid import uuid4

import pytest
from flask import Flask, request
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from werkzeug.exceptions import NotFound

from flask_pynamodb import PynamoDB, ScanRefused


@pytest.fixture
def app(dynamodb_engine):
    """Configured as its users do: an endpoint, two keys, two capacities, no region."""

    class Config:
        DYNAMODB_HOST = dynamodb_engine.host
        DYNAMODB_AWS_ACCESS_KEY_ID = "test"
        DYNAMODB_AWS_SECRET_ACCESS_KEY = "test"
        DYNAMODB_READ_CAPACITY_UNITS = 1
        DYNAMODB_WRITE_CAPACITY_UNITS = 1
        DYNAMODB_ALLOW_SCAN = True

    app = Flask(__name__)
    app.config.from_object(Config)
    return app


class TestTodo:
    def test_as_written(self, app):
        """The Todo app: a table made by its model, a list, an addition, a 404."""
        db = PynamoDB(app)

        class Todo(db.Model):
            class Meta:
                table_name = f"todo-{uuid4().hex}"

            id = UnicodeAttribute(hash_key=True)
            name = UnicodeAttribute()
            done = BooleanAttribute(default=False)

        @app.route("/list")
        def index():
            return "\n".join(todo.name for todo in Todo.scan())

        @app.route("/add", methods=["POST"])
        def add():
            todo = Todo(id=str(uuid4()), **request.json)
            todo.save()
            return json.dumps({"id": todo.id, "done": todo.done})

        @app.route("/get/<id>")
        def get(id):
            return Todo.get_or_404(hash_key=id).name

        with app.app_context():
            Todo.create_table(wait=True)
            capacity = Todo.describe_table()["ProvisionedThroughput"]
        client = app.test_client()
        added = json.loads(client.post("/add", json={"name": "write it down"}).text)

        assert client.get("/list").text == "write it down"
        assert client.get(f"/get/{added['id']}").text == "write it down"
        assert client.get("/get/nothing").status_code == 404
        assert (capacity["ReadCapacityUnits"], capacity["WriteCapacityUnits"]) == (1, 1)


class TestOneApp:
    """Used as at import time and in scripts, outside of any app context."""

    @pytest.fixture
    def db(self, app):
        return PynamoDB(app)

    @pytest.fixture
    def todo(self, db):
        class Todo(db.Model):
            class Meta:
                table_name = f"todo-{uuid4().hex}"

            id = UnicodeAttribute(hash_key=True)
            name = UnicodeAttribute(default="")

        Todo.create_table(wait=True)
        yield Todo
        Todo.delete_table()

    def test_models(self, todo):
        """Tables are made, and items written and read, in the app of the constructor."""
        todo("1", name="write it down").save()

        assert todo.get("1").name == "write it down"
        assert [item.id for item in todo.scan()] == ["1"]

    def test_extension(self, app, db, todo):
        """The extension's own methods, too."""
        with db.transaction() as transaction:
            transaction.save(todo("1"))

        assert [item.id for item in db.get_many((todo, "1"))] == ["1"]
        assert db.check_all() == []
        assert app.extensions["pynamodb"]["connection"] is db.connection
        assert app.extensions["pynamodb"]["db"] is db

    def test_other_key_of_the_extension(self, app, db):
        """Other keys than Flask-PynamoDB's two do not exist."""
        with pytest.raises(KeyError, match="session"):
            app.extensions["pynamodb"]["session"]

    def test_context_of_another_app(self, db, todo, app):
        """In a context the app of the context counts, and none takes its place."""
        other = Flask("another app")
        with other.app_context(), pytest.raises(RuntimeError, match="no PynamoDB extension"):
            todo.get("1")

    def test_init_app(self, app):
        """An app that was given to `init_app` is one of several: a context has to name it."""
        db = PynamoDB()
        db.init_app(app)
        with pytest.raises(RuntimeError, match="outside of an app context"):
            db.connection.list_tables()

    def test_message(self, app, todo):
        """`message` is the text of the 404, as in Flask-PynamoDB."""
        with pytest.raises(NotFound, match="gone"):
            todo.get_or_404(hash_key="1", message="gone")
        with pytest.raises(NotFound, match="gone"):
            todo.first_or_404("1", message="gone")

    def test_first_of_all(self, todo):
        """`first_or_404` without a key returns the first item of the table."""
        with pytest.raises(NotFound):
            todo.first_or_404()
        todo("1").save()

        assert todo.first_or_404().id == "1"

    def test_first_of_all_without_scans(self, app, todo):
        """It is a scan, and refused where scans are."""
        db = PynamoDB()
        other = Flask("another app")
        other.config.update(app.config, DYNAMODB_ALLOW_SCAN=False)
        db.init_app(other)
        with other.app_context(), pytest.raises(ScanRefused):
            todo.first_or_404()


class TestThread:
    def test_as_written(self, app):
        """The Thread model: forum name and subject, made by the extension, read back."""
        db = PynamoDB()

        class Thread(db.Model):
            class Meta:
                table_name = f"Thread-{uuid4().hex}"

            forum_name = UnicodeAttribute(hash_key=True)
            subject = UnicodeAttribute(range_key=True)
            views = NumberAttribute(default=0)

        db.init_app(app)
        with app.app_context():
            db.create_all()
            Thread("python", "flask").save()
            Thread.get("python", "flask").update([Thread.views.add(1)])

            assert Thread.get("python", "flask").views == 1
            assert [thread.subject for thread in Thread.query("python")] == ["flask"]
            assert Thread.first_or_404("python").subject == "flask"
            assert db.connection.describe_table(Thread.Meta.table_name)["TableStatus"] == "ACTIVE"
