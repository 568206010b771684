"""The pytest plug-in, as an app's own tests use it."""

import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import PynamoDB
from flask_pynamodb.testing import override

db = PynamoDB()


class Todo(db.Model):
    id = UnicodeAttribute(hash_key=True)


@pytest.fixture
def app():
    """An app that is configured for production."""
    app = Flask("production")
    app.config["DYNAMODB_REGION"] = "eu-west-1"
    db.init_app(app)
    return app


class TestDynamodb:
    @pytest.mark.parametrize("round", [1, 2])
    def test_fresh_tables(self, dynamodb, round):
        """Each test has tables of its own, empty, and the app's context."""
        with dynamodb.allow_scan():
            assert list(Todo.scan()) == []

        Todo("1").save()

    def test_app_is_on_the_engine(self, app, dynamodb, dynamodb_engine):
        """Inside the test the app reaches the engine and nothing else."""
        assert dynamodb.connection.host == dynamodb_engine.host


class TestOverride:
    def test_own_settings_return(self, app, dynamodb_settings):
        """After the block the app has its previous settings and connections."""
        with app.app_context():
            before = db.connection

        with override(app, **dynamodb_settings), app.app_context():
            db.create_all()
            Todo("1").save()

        with app.app_context():
            assert db.connection is before
        assert app.config["DYNAMODB_REGION"] == "eu-west-1"
        assert app.config["DYNAMODB_HOST"] is None
