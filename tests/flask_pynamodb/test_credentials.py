"""Credentials, sessions and regions, and the errors if they are missing."""

import botocore.session
import pytest
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, is_unavailable


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch, tmp_path):
    """No credentials and no region anywhere that botocore looks."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def todo(db):
    class Todo(db.Model):
        id = UnicodeAttribute(hash_key=True)

    return Todo


@pytest.fixture
def use(db, todo, make_app):
    """Uses a model in an app with other settings."""

    def use(**settings):
        app = make_app(**settings)
        db.init_app(app)
        with app.app_context():
            return todo.exists()

    return use


class TestMissing:
    def test_no_region(self, use):
        """No region anywhere is an error that names the setting, at first use."""
        with pytest.raises(ConfigurationError, match="DYNAMODB_REGION") as failed:
            use(DYNAMODB_REGION=None, DYNAMODB_HOST=None)

        assert is_unavailable(failed.value)

    def test_endpoint_without_region(self, use):
        """A custom endpoint needs no region."""
        assert use(DYNAMODB_REGION=None) is False

    def test_no_credentials(self, use):
        """No credentials anywhere is an error that names the settings, at first use."""
        with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID"):
            use(DYNAMODB_AWS_ACCESS_KEY_ID=None, DYNAMODB_AWS_SECRET_ACCESS_KEY=None)

    @pytest.mark.parametrize(
        ("given", "missing"),
        [
            ({"ACCESS_KEY_ID": "key"}, "AWS_SECRET_ACCESS_KEY is not set"),
            ({"SECRET_ACCESS_KEY": "secret"}, "AWS_ACCESS_KEY_ID is not set"),
            ({"SESSION_TOKEN": "token"}, "AWS_ACCESS_KEY_ID and DYNAMODB_AWS_SECRET_ACCESS_KEY"),
        ],
    )
    def test_half_a_pair(self, use, given, missing):
        """An incomplete access key is rejected; no other credentials are used instead."""
        names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
        settings = {f"DYNAMODB_AWS_{name}": given.get(name) for name in names}

        with pytest.raises(ConfigurationError, match=missing):
            use(**settings)


class TestGiven:
    def test_session_token(self, db, make_app):
        """A session token is used with its keys."""
        app = make_app(DYNAMODB_AWS_SESSION_TOKEN="token")
        db.init_app(app)

        with app.app_context():
            credentials = db.connection.client._request_signer._credentials

        assert (credentials.access_key, credentials.token) == ("local", "token")

    def test_session(self, db, make_app):
        """A given botocore session provides its credentials and its region."""
        session = botocore.session.get_session()
        session.set_credentials("mine", "secret")
        session.set_config_variable("region", "sa-east-1")
        app = make_app(DYNAMODB_SESSION=session, DYNAMODB_REGION=None)
        db.init_app(app)

        with app.app_context():
            client = db.connection.client

        assert client.meta.region_name == "sa-east-1"
        assert client._request_signer._credentials.access_key == "mine"


class TestServiceModel:
    """What botocore knows of DynamoDB is read from the disk once."""

    @pytest.fixture
    def loader(self, db, make_app):
        """What the session of a new app reads models with."""

        def of_new_app():
            app = make_app()
            db.init_app(app)
            with app.app_context():
                return db.connection.session.get_component("data_loader")

        return of_new_app

    def test_is_shared(self, loader):
        """Apps of one process have sessions of their own, but read the model once."""
        assert loader() is loader()

    def test_of_ones_own(self, loader, monkeypatch, tmp_path):
        """Who keeps models elsewhere, by AWS_DATA_PATH, has them read from there."""
        usual = loader()
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

        assert loader() is not usual
        assert str(tmp_path) in loader().search_paths
