"""Apps written for Flask-PynamoDB run as they are."""

import json
import re
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask, request
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from werkzeug.exceptions import NotFound

import flask_pynamodb
from flask_pynamodb import PynamoDB, ScanRefused
from flask_pynamodb.model import Model
from flask_pynamodb.settings import DEFAULTS

TESTS = Path(__file__).parent
EXTENSION = TESTS.parent.parent / "flask_pynamodb"
PAGE = (EXTENSION / "docs" / "flask-pynamodb.md").read_text()
# The test of each row in the table of differences.
DIFFERENCES = {
    "Timeouts have their names' meaning": "test_extension.py::test_timeouts",
    "Without keys in the settings, roles and profiles work": "test_drop_in.py::test_roles",
    "The session token counts for `db.connection`, too": "test_credentials.py::test_session_token",
    "Every app has its own settings, connections and table names": (
        "test_extension.py::test_prefixes"
    ),
    "An incomplete access key, no region and no credentials are a `ConfigurationError`": (
        "test_credentials.py::test_half_a_pair"
    ),
    "Invalid values of settings, and misspelled keys, are a `ConfigurationError` in `init_app`": (
        "test_settings.py::test_misspelled"
    ),
    "A second extension on one app is an error": "test_extension.py::test_twice",
    "`Model.scan` warns unless scans are allowed": "test_unique.py::test_warned",
    "Without capacity units, tables are on demand": "test_tables.py::test_on_demand",
    "The message of `first_or_404` is given by its name": (
        "test_drop_in.py::test_positional_message"
    ),
    "A model without a `Meta` has a table named after the class": (
        "test_model.py::test_without_meta"
    ),
    "A child without a `Meta` has a table of its own": (
        "test_inheritance.py::test_base_without_meta"
    ),
    "0 in a `Meta` is a value, None is none": "test_drop_in.py::test_zero_in_meta",
    "The app's settings are not written into `Meta`": "test_drop_in.py::test_meta_is_not_changed",
    "After `init_app`, `app.config` has the defaults of all keys": (
        "test_drop_in.py::test_defaults_in_the_config"
    ),
    '`app.extensions["pynamodb"]` has the keys `db` and `connection`, but is not a dictionary': (
        "test_drop_in.py::test_other_key_of_the_extension"
    ),
    "An app without the extension is an error in its context": (
        "test_drop_in.py::test_context_of_another_app"
    ),
    "`db.app`, `flask_pynamodb.__version__` and `DYNAMODB_SETTINGS` do not exist": (
        "test_drop_in.py::test_former_attributes"
    ),
    "Calls on items are sent by curl where the extra is installed": (
        "test_drop_in.py::test_sent_by_curl"
    ),
    "Texts of errors differ, such as that of the `TypeError` of `init_app`": (
        "test_extension.py::test_no_app"
    ),
    "Python 3.11, Flask 3.1 and PynamoDB 6.1 are the oldest versions": (
        "test_drop_in.py::test_oldest_versions"
    ),
}


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


class TestPage:
    def test_every_difference_has_a_test(self):
        """The table of differences has the rows above, and each test exists."""
        section = PAGE.partition("## Differences")[2]
        rows = re.findall(r"^\| (.+?) \| ", section, re.MULTILINE)
        missing = [
            name
            for file, _, name in (test.partition("::") for test in DIFFERENCES.values())
            if f"def {name}(" not in (TESTS / file).read_text()
        ]

        assert rows[2:] == list(DIFFERENCES)
        assert missing == []


class TestDifferences:
    @pytest.fixture
    def context(self, app):
        """An extension by `init_app`, in the context of the app."""
        db = PynamoDB()
        db.init_app(app)
        with app.app_context():
            yield db

    def test_same_base_class(self):
        """`PynamoDB.Model` and the class in the module `model` are the base of `db.Model`."""
        assert PynamoDB.Model is Model
        assert issubclass(PynamoDB().Model, Model)

    def test_roles(self, app, monkeypatch):
        """Without keys in the settings, botocore's chain of credentials finds some."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the environment")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        for name in ("DYNAMODB_AWS_ACCESS_KEY_ID", "DYNAMODB_AWS_SECRET_ACCESS_KEY"):
            del app.config[name]
        connection = PynamoDB(app).connection

        assert connection.session.get_credentials().access_key == "of the environment"

    def test_positional_message(self, context):
        """The first argument of `first_or_404` is a key, not the message."""

        class Todo(context.Model):
            class Meta:
                table_name = f"todo-{uuid4().hex}"

            id = UnicodeAttribute(hash_key=True)

        context.create_all()
        Todo("1").save()

        assert Todo.first_or_404("1").id == "1"
        with pytest.raises(NotFound):
            Todo.first_or_404("gone")

    def test_zero_in_meta(self, app, context):
        """A Meta turns retries off with 0."""

        class Todo(context.Model):
            class Meta:
                max_retry_attempts = 0

            id = UnicodeAttribute(hash_key=True)

        assert Todo._get_connection().connection.client.meta.config.retries == {
            "total_max_attempts": 1,
            "mode": "standard",
        }

    def test_meta_is_not_changed(self, app, context):
        """The settings of the app are those of its connection; Meta keeps its own."""

        class Todo(context.Model):
            id = UnicodeAttribute(hash_key=True)

        assert Todo._get_connection().connection.host == app.config["DYNAMODB_HOST"]
        assert getattr(Todo.Meta, "host", None) is None

    def test_defaults_in_the_config(self, app, context):
        """All keys are in the configuration."""
        assert app.config.keys() >= DEFAULTS.keys()

    def test_sent_by_curl(self, context):
        """The client of a new connection is that of curl."""
        assert "AutoClient of <CurlClient" in repr(context.connection.client)

    def test_former_attributes(self, context):
        """These names do not exist."""
        assert not hasattr(context, "app")
        assert not hasattr(flask_pynamodb, "__version__")
        assert not hasattr(flask_pynamodb, "DYNAMODB_SETTINGS")

    def test_oldest_versions(self):
        """The distribution names them."""
        project = tomllib.loads((EXTENSION / "pyproject.toml").read_text())["project"]

        assert project["requires-python"] == ">=3.11"
        assert {"flask>=3.1", "pynamodb>=6.1"} <= set(project["dependencies"])
