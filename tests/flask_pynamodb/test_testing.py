"""The pytest plug-in, as an app's own tests use it."""

import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import PynamoDB
from flask_pynamodb.local import EngineError
from flask_pynamodb.testing import override, start_engine

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


class TestEngine:
    def test_without_a_binary(self, app, dynamodb_settings, monkeypatch):
        """Where dynoxide is not installed, moto takes its place."""
        monkeypatch.setenv("PATH", "")
        with start_engine() as engine:
            settings = {**dynamodb_settings, "DYNAMODB_HOST": engine.host}
            with override(app, **settings), app.app_context():
                db.create_all()
                Todo("1").save()

                assert Todo.get("1").id == "1"

    def test_nothing_installed(self, monkeypatch):
        """Without either the error says what to install."""
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr("flask_pynamodb.testing.find_spec", lambda name: None)

        with pytest.raises(EngineError, match="not installed"), start_engine():
            pass
