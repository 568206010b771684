"""Which wire is taken where the extra `curl` is not installed."""

import subprocess
import sys

import pytest

WITHOUT_EXTRA = """
import sys

# None in this place is how Python is told that there is no such module.
sys.modules[{missing!r}] = None

from flask import Flask

import flask_pynamodb

app = Flask("bare")
app.config.update(
    DYNAMODB_HOST={host!r},
    DYNAMODB_REGION="eu-west-1",
    DYNAMODB_AWS_ACCESS_KEY_ID="local",
    DYNAMODB_AWS_SECRET_ACCESS_KEY="local",
    **{settings!r},
)
db = flask_pynamodb.PynamoDB(app)
with app.app_context():
    try:
        db.connection.list_tables()
        print("by", app.config["DYNAMODB_TRANSPORT"])
    except flask_pynamodb.ConfigurationError as error:
        print(error)
"""


@pytest.fixture
def say(dynamodb_engine):
    """What a program says that lists the tables in an environment without a module."""

    def say(missing, **settings):
        program = WITHOUT_EXTRA.format(
            missing=missing, host=dynamodb_engine.host, settings=settings
        )
        finished = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    return say


class TestProxy:
    @pytest.mark.parametrize("transport", ["botocore", "curl"])
    def test_loopback(self, say, monkeypatch, transport):
        """Requests to loopback never go to the proxy of the environment."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

        assert say("no_module", DYNAMODB_TRANSPORT=transport) == f"by {transport}"


class TestWithoutExtra:
    @pytest.mark.parametrize("missing", ["pycurl", "orjson"])
    def test_not_named(self, say, missing):
        """An app that names no transport is carried by botocore."""
        assert say(missing) == "by botocore"

    def test_named(self, say):
        """With the transport curl, the error at first use says what to install."""
        assert "flask-pynamodb-models[curl]" in say("pycurl", DYNAMODB_TRANSPORT="curl")
