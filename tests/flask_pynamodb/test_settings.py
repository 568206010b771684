"""Settings of apps, binds and models: conversion, bounds, contradictions and misspelled names."""

import re
from types import SimpleNamespace

import boto3
import botocore.session
import pynamodb.settings
import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, PynamoDB, is_unavailable, override
from flask_pynamodb.settings import SETTINGS


@pytest.fixture
def initialize(db):
    """Registers the extension with a new app that has these settings."""

    def initialize(**settings):
        app = Flask("an app with settings")
        app.config.update(settings)
        db.init_app(app)
        return app

    return initialize


class TestText:
    @pytest.mark.parametrize(
        ("key", "text", "value"),
        [
            ("READ_TIMEOUT_SECONDS", "1.5", 1.5),
            ("CONNECT_TIMEOUT_SECONDS", "5", 5.0),
            ("MAX_RETRY_ATTEMPTS", "2", 2),
            ("DEADLINE_SECONDS", "3", 3.0),
            ("MAX_POOL_CONNECTIONS", " 5 ", 5),
            ("BASE_BACKOFF_MS", "50", 50),
            ("RECORD_CALLS", "0", 0),
            ("ALLOW_SCAN", "false", False),
            ("ALLOW_SCAN", "Yes", True),
            ("DEBUG", "off", False),
            ("DEBUG", "1", True),
            ("DEBUG", 0, False),
            ("EXTRA_HEADERS", "x-team=a, x-tier=b=c", {"x-team": "a", "x-tier": "b=c"}),
            ("EXTRA_HEADERS", '{"x-team": "a"}', {"x-team": "a"}),
            ("BINDS", '{"eu": {"REGION": "eu-west-1"}}', {"eu": {"REGION": "eu-west-1"}}),
            ("TRANSPORT", "lean", "curl"),
        ],
    )
    def test_converted(self, initialize, key, text, value):
        """The text of an environment variable becomes a value of the type of the setting."""
        converted = initialize(**{f"DYNAMODB_{key}": text}).config[f"DYNAMODB_{key}"]

        assert converted == value
        assert type(converted) is type(value)

    @pytest.mark.parametrize("value", [None, "", " "])
    @pytest.mark.parametrize("key", SETTINGS)
    def test_unset(self, initialize, key, value):
        """None and an empty text, as `os.environ.get` returns them, mean the default."""
        assert initialize(**{key: value}).config[key] == SETTINGS[key].default

    def test_examples(self, initialize):
        """The example of every setting is accepted."""
        examples = {key: one.example for key, one in SETTINGS.items() if one.example}

        initialize(**examples)

    def test_used(self, initialize, db):
        """The connection gets converted values."""
        app = initialize(
            DYNAMODB_REGION="eu-west-1",
            DYNAMODB_READ_TIMEOUT_SECONDS="2",
            DYNAMODB_MAX_RETRY_ATTEMPTS="1",
            DYNAMODB_BINDS={"eu": {"CONNECT_TIMEOUT_SECONDS": "3"}},
        )
        with app.app_context():
            config = db.connection.client.meta.config
            own = app.extensions["pynamodb"].connection("eu").client.meta.config

        assert config.read_timeout == own.read_timeout == 2.0
        assert config.retries["total_max_attempts"] == 2
        assert own.connect_timeout == 3.0


class TestAllowed:
    @pytest.mark.parametrize(
        ("key", "allowed"),
        [
            ("TRANSPORT", "`auto`, `curl` or `botocore`"),
            ("MAX_RETRY_ATTEMPTS", "0 to 10"),
            ("MAX_POOL_CONNECTIONS", "1 or more"),
            ("REGION", ""),
        ],
    )
    def test_text(self, key, allowed):
        """The accepted values are one text, for the documentation and for errors."""
        assert SETTINGS[f"DYNAMODB_{key}"].allowed == allowed


class TestInvalid:
    @pytest.mark.parametrize(
        ("key", "value", "error"),
        [
            ("HOST", "127.0.0.1:8000", "must be a URL, as in http://127.0.0.1:8000"),
            ("HOST", 8000, "must be a string, not int"),
            ("REGION", "Frankfurt (Main)", "must be a region, as in eu-central-1"),
            ("READ_TIMEOUT_SECONDS", "five", "must be a number"),
            ("READ_TIMEOUT_SECONDS", 0, "must be 0.05 to 300"),
            ("READ_TIMEOUT_SECONDS", "0", "must be 0.05 to 300"),
            ("READ_TIMEOUT_SECONDS", float("nan"), "must be 0.05 to 300"),
            ("MAX_POOL_CONNECTIONS", 0, "must be 1 or more"),
            ("MAX_RETRY_ATTEMPTS", -1, "must be 0 to 10"),
            ("MAX_RETRY_ATTEMPTS", "2.5", "must be a whole number"),
            ("MAX_RETRY_ATTEMPTS", True, "must be a whole number, not bool"),
            ("EXTRA_HEADERS", "x: y", "must be a mapping"),
            ("EXTRA_HEADERS", "{x}", "must be a mapping"),
            ("EXTRA_HEADERS", '{"x": 1}', "must have strings as names and as values of headers"),
            ("EXTRA_HEADERS", {b"x": "1"}, "must have strings as names and as values of headers"),
            ("EXTRA_HEADERS", {"x y": "1"}, "must not have invalid characters in the extra"),
            ("BINDS", '["eu"]', "must be a mapping"),
            ("TABLE_PREFIX", "a b", "may have letters, digits, _, . and - only"),
            ("TABLE_NAMER", "staging-{}", "must be a callable"),
            ("ALLOW_SCAN", "never", "must be True or False"),
            ("ALLOW_SCAN", 2, "must be True or False, not int"),
            ("BILLING_MODE", "FREE", "must be PAY_PER_REQUEST or PROVISIONED"),
            ("TRANSPORT", "pigeon", "must be auto, curl or botocore"),
            ("SESSION", "default", "must be a botocore session"),
            ("RETRY_CONFIGURATION", "standard", "must be a mapping of botocore's retries"),
        ],
    )
    def test_rejected(self, initialize, key, value, error):
        """An invalid value is rejected in `init_app` with its key and what it must be."""
        with pytest.raises(ConfigurationError, match=re.escape(f"DYNAMODB_{key} {error}")):
            initialize(**{f"DYNAMODB_{key}": value})

    def test_all_invalid_values(self, initialize):
        """One error names all invalid values, and repeats none of them."""
        with pytest.raises(ConfigurationError) as error:
            initialize(
                DYNAMODB_AWS_SECRET_ACCESS_KEY=b"hunter2", DYNAMODB_READ_TIMEOUT_SECONDS="hunter2"
            )

        assert "DYNAMODB_AWS_SECRET_ACCESS_KEY must be a string" in str(error.value)
        assert "DYNAMODB_READ_TIMEOUT_SECONDS must be a number" in str(error.value)
        assert "hunter2" not in str(error.value)

    def test_boto3_session(self, initialize):
        """A session of boto3 is rejected with the way to share a botocore session."""
        session = botocore.session.get_session()

        with pytest.raises(ConfigurationError, match="botocore_session=session"):
            initialize(DYNAMODB_SESSION=boto3.Session(region_name="eu-west-1"))

        assert initialize(DYNAMODB_SESSION=session).config["DYNAMODB_SESSION"] is session

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"READ_CAPACITY_UNITS": 5}, "DYNAMODB_WRITE_CAPACITY_UNITS together"),
            ({"BILLING_MODE": "PROVISIONED"}, "DYNAMODB_READ_CAPACITY_UNITS"),
            ({"AWS_ACCESS_KEY_ID": "key"}, "DYNAMODB_AWS_SECRET_ACCESS_KEY is not set"),
            ({"AWS_SECRET_ACCESS_KEY": "secret"}, "DYNAMODB_AWS_ACCESS_KEY_ID is not set"),
            ({"AWS_SESSION_TOKEN": "token"}, "AWS_ACCESS_KEY_ID and DYNAMODB_AWS_SECRET"),
            (
                {"TRANSPORT": "curl", "EXTRA_HEADERS": {"Host": "db.example"}},
                "DYNAMODB_EXTRA_HEADERS must not have the extra header 'Host', which is reserved.",
            ),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_contradiction(self, initialize, settings, error):
        """Settings that contradict each other are rejected in `init_app`."""
        with pytest.raises(ConfigurationError, match=error):
            initialize(**{f"DYNAMODB_{key}": value for key, value in settings.items()})

    def test_nothing_is_registered(self, initialize, db):
        """An app whose settings were rejected can be registered once they are correct."""
        app = Flask("invalid at first")
        app.config["DYNAMODB_DEBUG"] = "maybe"
        with pytest.raises(ConfigurationError):
            db.init_app(app)
        app.config["DYNAMODB_DEBUG"] = "no"

        db.init_app(app)

        assert app.config["DYNAMODB_DEBUG"] is False

    def test_standalone(self, db):
        """A database without an app has the same rules."""
        with pytest.raises(ConfigurationError, match="did you mean DYNAMODB_REGION"):
            db.standalone({"DYNAMODB_REGOIN": "eu-west-1"})


class TestNames:
    @pytest.mark.parametrize(
        ("key", "nearest"),
        [
            ("DYNAMODB_REGOIN", "DYNAMODB_REGION"),
            ("DYNAMODB_READ_TIMEOUT", "DYNAMODB_READ_TIMEOUT_SECONDS"),
            ("DYNAMODB_HOSTS", "DYNAMODB_HOST"),
            ("DYNAMODB_ALLOW_SCANS", "DYNAMODB_ALLOW_SCAN"),
        ],
    )
    def test_misspelled(self, initialize, key, nearest):
        """A misspelled key is rejected with the nearest one that exists."""
        with pytest.raises(ConfigurationError, match=f"{key} is not .* did you mean {nearest}"):
            initialize(**{key: "eu-west-1"})

    @pytest.mark.parametrize("key", ["DYNAMODB_TABLE_NAME", "DYNAMODB_ENGINE", "DYNAMODB_URL"])
    def test_key_of_the_app(self, initialize, key):
        """Another key of the app that begins alike is left alone."""
        assert initialize(**{key: "mine"}).config[key] == "mine"

    @pytest.mark.parametrize(
        ("bind", "error"),
        [
            ({"REGOIN": "eu-west-1"}, r"BINDS\['eu'\] has unknown keys: REGOIN.*, as in REGION"),
            ({"TENANT": "a"}, r"BINDS\['eu'\] has unknown keys: TENANT.*, as in REGION"),
            ({"READ_TIMEOUT_SECONDS": "x"}, r"BINDS\['eu'\] READ_TIMEOUT_SECONDS must be a number"),
            ("eu-west-1", r"BINDS\['eu'\] must be a mapping, not str"),
        ],
    )
    def test_bind(self, initialize, bind, error):
        """The settings of a bind have the same rules."""
        with pytest.raises(ConfigurationError, match=error):
            initialize(DYNAMODB_BINDS={"eu": bind})


class TestMeta:
    def test_converted(self, db, context):
        """A Meta may have texts, too, at its definition and later."""

        class Todo(db.Model):
            class Meta:
                read_timeout_seconds = "1.5"
                host = ""

            id = UnicodeAttribute(hash_key=True)

        Todo.Meta.max_retry_attempts = "1"
        config = Todo._get_connection().connection.client.meta.config

        assert config.read_timeout == 1.5
        assert config.retries["total_max_attempts"] == 2

    def test_retry_configuration(self, db, context, monkeypatch):
        """A Meta takes PynamoDB's `retry_configuration`; "UNSET" is what botocore finds."""
        monkeypatch.setenv("AWS_RETRY_MODE", "standard")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")

        class Todo(db.Model):
            class Meta:
                retry_configuration = "UNSET"

            id = UnicodeAttribute(hash_key=True)

        config = Todo._get_connection().connection.client.meta.config

        assert config.retries == {"mode": "standard", "total_max_attempts": 7}

    @pytest.mark.parametrize(
        ("name", "value", "error"),
        [
            ("read_timeout_seconds", "x", "Todo.Meta.read_timeout_seconds must be a number"),
            ("read_capacity_units", 0, "Todo.Meta.read_capacity_units must be 1 or more"),
            ("regoin", "eu-west-1", "Todo.Meta.regoin is not a setting: did you mean region"),
            ("tabel_name", "todo", "did you mean table_name"),
        ],
    )
    def test_rejected(self, db, name, value, error):
        """An invalid value and a misspelled name are rejected when the class is made."""
        with pytest.raises(ConfigurationError, match=error):
            type(db.Model)(
                "Todo",
                (db.Model,),
                {"id": UnicodeAttribute(hash_key=True), "Meta": type("Meta", (), {name: value})},
            )

    def test_rejected_later(self, db):
        """A value that is set later has the same rules, and an invalid one changes nothing."""

        class Todo(db.Model):
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(ConfigurationError, match=r"Todo\.Meta\.region must be a region"):
            Todo.Meta.region = "Frankfurt (Main)"

        assert Todo.Meta.region is None

    def test_unset_later(self, db, context, settings):
        """None that is set later means that the app's setting counts."""

        class Todo(db.Model):
            class Meta:
                region = "eu-north-1"

            id = UnicodeAttribute(hash_key=True)

        Todo.Meta.region = None

        assert Todo._get_connection().connection.region == settings["DYNAMODB_REGION"]

    def test_attribute_of_the_model(self, db):
        """Other attributes of a Meta are left alone."""

        class Todo(db.Model):
            class Meta:
                owner_team = "accounts"

            id = UnicodeAttribute(hash_key=True)

        assert Todo.Meta.owner_team == "accounts"


class TestPynamodbConfig:
    @pytest.fixture(autouse=True)
    def file(self, monkeypatch):
        """The settings file of PynamoDB, which is named by PYNAMODB_CONFIG."""
        values = SimpleNamespace(host="http://127.0.0.1:9", max_retry_attempts="1", region="a")
        monkeypatch.setattr(pynamodb.settings, "override_settings", values)
        return values

    def test_default(self, initialize):
        """Its values are the defaults of settings that the app does not have."""
        config = initialize(DYNAMODB_REGION="eu-west-1").config

        assert config["DYNAMODB_HOST"] == "http://127.0.0.1:9"
        assert config["DYNAMODB_MAX_RETRY_ATTEMPTS"] == 1
        assert config["DYNAMODB_REGION"] == "eu-west-1"
        assert config["DYNAMODB_READ_TIMEOUT_SECONDS"] == 30.0

    def test_retries(self, initialize, db, file):
        """Its `retry_configuration` counts."""
        file.retry_configuration = {"mode": "standard", "total_max_attempts": 6}
        app = initialize()
        with app.app_context():
            config = db.connection.client.meta.config

        assert config.retries["total_max_attempts"] == 6

    def test_invalid(self, initialize, file):
        """An invalid value is rejected by the name of the setting."""
        file.max_retry_attempts = "many"

        with pytest.raises(ConfigurationError, match="DYNAMODB_MAX_RETRY_ATTEMPTS must be"):
            initialize()


class TestRetryModes:
    @pytest.mark.parametrize("mode", ["adaptive", "legacy"])
    def test_of_botocore(self, initialize, db, mode):
        """A retry mode that curl does not have is botocore's; with curl alone it is an error."""
        settings = {
            "DYNAMODB_REGION": "eu-west-1",
            "DYNAMODB_RETRY_CONFIGURATION": {"mode": mode, "total_max_attempts": 2},
        }
        automatic = initialize(**settings)
        curl = initialize(**settings, DYNAMODB_TRANSPORT="curl")
        with automatic.app_context():
            client = db.connection.client

        assert isinstance(client, botocore.client.BaseClient)
        assert client.meta.config.retries["mode"] == mode
        with curl.app_context(), pytest.raises(ConfigurationError, match=f"not `{mode}`") as failed:
            db.connection.client  # noqa: B018
        assert is_unavailable(failed.value)


class TestOverride:
    def test_own_settings_return(self, initialize, db):
        """After the block the app has its previous settings and connections."""
        app = initialize(DYNAMODB_REGION="eu-west-1")
        with app.app_context():
            before = db.connection

        with override(app, DYNAMODB_REGION="eu-north-1", DYNAMODB_DEBUG="yes"), app.app_context():
            inside = db.connection.region, app.config["DYNAMODB_DEBUG"]

        with app.app_context():
            assert db.connection is before
        assert inside == ("eu-north-1", True)
        assert app.config["DYNAMODB_REGION"] == "eu-west-1"

    def test_without_context(self):
        """It holds outside of any context, too, where the extension was created with the app."""
        app = Flask("an app of its own")
        app.config["DYNAMODB_REGION"] = "eu-west-1"
        db = PynamoDB(app)

        with override(app, DYNAMODB_REGION="eu-north-1"):
            inside = db.connection.region

        assert (inside, db.connection.region) == ("eu-north-1", "eu-west-1")

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"DYNAMODB_REGOIN": "eu-west-1"}, "not settings of DynamoDB: DYNAMODB_REGOIN"),
            ({"DYNAMODB_DEBUG": "maybe"}, "DYNAMODB_DEBUG must be True or False"),
        ],
    )
    def test_rejected(self, initialize, settings, error):
        """An invalid setting is rejected, and the app keeps its own."""
        app = initialize()
        before = app.extensions["pynamodb"]

        with pytest.raises(ConfigurationError, match=error), override(app, **settings):
            pass

        assert app.extensions["pynamodb"] is before
