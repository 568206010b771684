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
        print("by", type(db.connection.client).__name__)
    except flask_pynamodb.ConfigurationError as error:
        print(error)
"""


@pytest.fixture
def say(dynamodb_engine):
    """What a program says that lists the tables in an environment without a module."""

    def say(missing, *, prelude="", **settings):
        program = prelude + WITHOUT_EXTRA.format(
            missing=missing, host=dynamodb_engine.host, settings=settings
        )
        finished = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    return say


class TestProxy:
    @pytest.mark.parametrize(
        ("transport", "name"),
        [("botocore", "DynamoDB"), ("curl", "CurlClient"), ("auto", "AutoClient")],
    )
    def test_loopback(self, say, monkeypatch, transport, name):
        """Requests to loopback never go to the proxy of the environment."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

        assert say("no_module", DYNAMODB_TRANSPORT=transport) == f"by {name}"


class TestWithoutExtra:
    @pytest.mark.parametrize("missing", ["pycurl", "orjson"])
    def test_not_named(self, say, missing):
        """An app that names no transport is carried by botocore."""
        assert say(missing) == "by DynamoDB"

    def test_windows(self, say):
        """Without fork hooks, as on Windows, an app imports and is carried by botocore."""
        prelude = "import concurrent.futures, logging, os, random, threading\n"
        prelude += "del os.fork, os.register_at_fork\n"

        assert say("no_module", prelude=prelude) == "by DynamoDB"

    def test_named(self, say):
        """With the transport curl, the error at first use says what to install."""
        assert "flask-pynamodb-models[curl]" in say("pycurl", DYNAMODB_TRANSPORT="curl")
