"""Apps written for Flask-PynamoDB run as they are."""

import json
from uuid import uuid4

import pytest
from flask import Flask, request
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from flask_pynamodb import PynamoDB


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
