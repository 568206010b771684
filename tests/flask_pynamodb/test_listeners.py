"""The transport `auto`: botocore sends while mocks or instrumentations follow its requests."""

import copy
import functools
import logging
import sys
import types

import botocore.client
import moto
import pytest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool
from botocore.httpsession import URLLib3Session
from botocore.stub import Stubber
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, transport
from flask_pynamodb.listeners import _EVENTS

AWS = {
    "DYNAMODB_HOST": None,
    "DYNAMODB_TRANSPORT": "auto",
    "DYNAMODB_READ_TIMEOUT_SECONDS": 1,
    "DYNAMODB_CONNECT_TIMEOUT_SECONDS": 1,
    "DYNAMODB_MAX_RETRY_ATTEMPTS": 0,
}


@pytest.fixture
def settings(settings):
    return {**settings, "DYNAMODB_TRANSPORT": "auto"}


@pytest.fixture
def word(db):
    class Word(db.Model):
        id = UnicodeAttribute(hash_key=True)

    return Word


@pytest.fixture
def client(db, word, context):
    """The client of an app with a table, which has sent its first request by curl."""
    db.create_all()
    word("first").save()
    return db.connection.client


@pytest.fixture
def seen(client, monkeypatch):
    """The operations that curl sends from now on."""
    names = []
    send = client._curl._make_api_call

    def noted(name, kwargs):
        names.append(name)
        return send(name, kwargs)

    monkeypatch.setattr(client._curl, "_make_api_call", noted)
    return names


class TestAlone:
    def test_curl(self, word, client, seen):
        """Where no one follows botocore's requests, curl sends them."""
        word.get("first")

        assert seen == ["GetItem"]


class TestMocks:
    def test_moto(self, make_app, db, word):
        """Inside moto's `mock_aws` every call is mocked, none reaches AWS."""
        app = make_app(**AWS)
        db.init_app(app)
        with moto.mock_aws(), app.app_context():
            word.create_table(wait=True)
            word("1").save()

            assert word.get("1").id == "1"
            assert word.query("1").next().id == "1"

    def test_after_moto(self, db, word, client, seen):
        """After a mocked test curl sends again."""
        with moto.mock_aws():
            pass
        # The end of a mock empties moto's server in this process, too.
        db.create_all()
        seen.clear()
        word("second").save()

        assert seen == ["PutItem"]

    def test_stubber(self, word, client, seen):
        """botocore's Stubber answers, also on a client that was in use before."""
        with Stubber(client) as stubber:
            stubber.add_response("get_item", {"Item": {"id": {"S": "from the stub"}}})
            stubbed = word.get("first").id
        word.get("first")

        assert stubbed == "from the stub"
        assert seen == ["GetItem"]

    def test_patched_session(self, word, client, seen, monkeypatch):
        """A test that replaces botocore's HTTP session sees the request."""
        sent = []

        def send(session, request):
            sent.append(request.headers["X-Amz-Target"])
            return original(session, request)

        original = URLLib3Session.send
        monkeypatch.setattr(URLLib3Session, "send", send)
        word.get("first")

        assert sent == [b"DynamoDB_20120810.GetItem"]
        assert seen == []

    def test_patched_connections(self, word, client, seen, monkeypatch):
        """A recorder that replaces botocore's connections, as VCR.py does, is noticed."""

        class Recorder(AWSHTTPConnection):
            pass

        monkeypatch.setattr(AWSHTTPConnectionPool, "ConnectionCls", Recorder)
        word.get("first")

        assert seen == []


class TestInstrumentations:
    def test_wrapped_call(self, word, client, seen, monkeypatch):
        """An instrumentation that wraps botocore's calls, as OpenTelemetry's, sees each call."""
        traced = []
        call = botocore.client.BaseClient._make_api_call

        @functools.wraps(call)
        def trace(self, name, kwargs):
            traced.append(name)
            return call(self, name, kwargs)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", trace)
        word.get("first")
        word("second").save()

        assert traced == ["GetItem", "PutItem"]
        assert seen == []

    @pytest.mark.parametrize("event", _EVENTS)
    def test_event(self, word, client, seen, event):
        """A handler of any event of a request is noticed, and so is its end."""
        called = []

        def handle(**kwargs):
            called.append(kwargs["event_name"])

        client.meta.events.register(f"{event}.dynamodb", handle)
        word.get("first")
        client.meta.events.unregister(f"{event}.dynamodb", handle)
        word.get("first")

        assert seen == ["GetItem"]
        assert called == [f"{event}.dynamodb.GetItem"] or event == "after-call-error"

    def test_partial(self, word, client, seen):
        """A handler with bound arguments is noticed, as Sentry's is."""
        called = []
        handler = functools.partial(lambda called, **_: called.append(1), called)
        client.meta.events.register("request-created", handler)
        word.get("first")

        assert called == [1]
        assert seen == []

    @pytest.mark.parametrize("register", ["register", "register_first", "register_last"])
    def test_one_operation(self, word, client, seen, register):
        """A handler of one operation is noticed, however it is registered."""
        getattr(client.meta.events, register)("before-send.dynamodb.PutItem", lambda **_: None)
        word("second").save()

        assert seen == []

    def test_explicit_curl(self, db, word, make_app, host):
        """With `curl` as the setting curl sends, whoever follows botocore's requests."""
        app = make_app(DYNAMODB_TRANSPORT="curl")
        db.init_app(app)
        called = []
        with app.app_context():
            db.create_all()
            db.connection.client.meta.events.register("before-send", lambda **_: called.append(1))
            word("1").save()

        assert called == []


class TestAutoClient:
    def test_shown(self, client):
        """The client says where its requests go."""
        assert repr(client) == f"<AutoClient of {client._curl!r}>"

    def test_copied(self, client):
        """A copy sends by the same clients, and copying does not recurse."""
        assert copy.copy(client)._curl is client._curl

    def test_unsupported_configuration(self, db, make_app):
        """What curl does not support is botocore's with `auto`, an error with `curl`."""
        retries = {"mode": "adaptive", "total_max_attempts": 1}
        apps = [
            make_app(DYNAMODB_RETRY_CONFIGURATION=retries),
            make_app(DYNAMODB_RETRY_CONFIGURATION=retries, DYNAMODB_TRANSPORT="curl"),
        ]
        for app in apps:
            db.init_app(app)
        with apps[0].app_context():
            client = db.connection.client

        assert isinstance(client, botocore.client.BaseClient)
        with apps[1].app_context(), pytest.raises(ConfigurationError, match="adaptive"):
            db.connection.client  # noqa: B018


class TestPatchedSockets:
    @pytest.mark.parametrize(
        ("module", "function"),
        [("gevent.monkey", "is_module_patched"), ("eventlet.patcher", "is_monkey_patched")],
    )
    def test_green_threads(self, db, make_app, monkeypatch, caplog, module, function):
        """Where the sockets are patched botocore sends, and the log says so once."""
        stand_in = types.SimpleNamespace(**{function: lambda name: name == "socket"})
        monkeypatch.setitem(sys.modules, module, stand_in)
        monkeypatch.setattr(transport, "_logged", set())
        caplog.set_level(logging.INFO, "flask_pynamodb")
        app = make_app()
        db.init_app(app)
        with app.app_context():
            client = db.connection.client

        assert isinstance(client, botocore.client.BaseClient)
        assert [module.partition(".")[0] in text for text in caplog.messages] == [True]
