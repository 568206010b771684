"""Spans of calls by curl are those that the instrumentation of botocore makes for botocore."""

import copy
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from flask import Flask
from opentelemetry import context, trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, PynamoDB
from flask_pynamodb.curl.tracing import TracedClient
from flask_pynamodb.local import Engine
from tests.support.scripted_server import ScriptedServer, answer, error

KEY = {"id": {"S": "1"}}
CAPACITY = {"ReturnConsumedCapacity": "TOTAL"}
METRICS = {**CAPACITY, "ReturnItemCollectionMetrics": "SIZE"}
CONDITION = {"ConditionExpression": "attribute_exists(id)"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "get": ("GetItem", {"Key": KEY}),
    "get-more": (
        "GetItem",
        {"Key": KEY, "ConsistentRead": True, "ProjectionExpression": "id", **CAPACITY},
    ),
    "put": ("PutItem", {"Item": KEY, **METRICS}),
    "update": ("UpdateItem", {"Key": KEY, **METRICS}),
    "delete": ("DeleteItem", {"Key": KEY, **METRICS}),
    "query": (
        "Query",
        {
            "KeyConditionExpression": "id = :id",
            "ExpressionAttributeValues": {":id": {"S": "1"}},
            "Limit": 5,
            "ScanIndexForward": False,
            "ConsistentRead": False,
            **CAPACITY,
        },
    ),
    "scan": ("Scan", {"Limit": 3, "Segment": 0, "TotalSegments": 2, "Select": "COUNT", **CAPACITY}),
    "batch-get": ("BatchGetItem", {"RequestItems": {"{table}": {"Keys": [KEY]}}, **CAPACITY}),
    "batch-write": (
        "BatchWriteItem",
        {"RequestItems": {"{table}": [{"PutRequest": {"Item": KEY}}]}, **METRICS},
    ),
    "transact-get": (
        "TransactGetItems",
        {"TransactItems": [{"Get": {"TableName": "{table}", "Key": KEY}}], **CAPACITY},
    ),
    "transact-write": (
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "{table}", "Item": KEY}}], **CAPACITY},
    ),
    "condition": ("PutItem", {"Item": {"id": {"S": "none"}}, **CONDITION}),
    "no-table": ("GetItem", {"TableName": "none", "Key": KEY}),
    "transact-conflict": (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "{table}", "Item": {"id": {"S": "none"}}, **CONDITION}}
            ]
        },
    ),
}


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """Keeps the finished spans of this process, whose provider can be set once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture(autouse=True)
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


@pytest.fixture
def instrumented() -> Iterator[None]:
    instrumentor = BotocoreInstrumentor()
    instrumentor.instrument(skip_dep_check=True)
    yield
    instrumentor.uninstrument()


def outcome_of(client: Any, operation: str, arguments: dict[str, Any]) -> None:
    with suppress(ClientError, BotoCoreError):
        client._make_api_call(operation, arguments)


def arguments_of(call: str, table: str) -> tuple[str, dict[str, Any]]:
    operation, arguments = CALLS[call]
    filled = json.loads(json.dumps(arguments).replace("{table}", table))
    if not filled.keys() & {"RequestItems", "TransactItems", "TableName"}:
        filled["TableName"] = table
    return operation, filled


def as_data(span: ReadableSpan) -> dict[str, Any]:
    """Returns what is to be equal: not times, IDs, or the order of fields in JSON."""
    attributes = {name: _plain(value) for name, value in (span.attributes or {}).items()}
    attributes.pop("aws.request_id", None)
    return {
        "name": span.name,
        "kind": span.kind,
        "status": (span.status.status_code, span.status.description),
        "attributes": attributes,
        "events": [
            {name: value for name, value in (event.attributes or {}).items() if "trace" not in name}
            for event in span.events
        ],
        "schema": span.instrumentation_scope.schema_url,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


class TestSameAsInstrumentation:
    @pytest.mark.parametrize("call", CALLS)
    def test_call(
        self,
        make_curl: Any,
        dynamodb_engine: Engine,
        table: str,
        instrumented: None,
        spans: InMemorySpanExporter,
        call: str,
    ) -> None:
        """Name, kind, attributes, status and exception are the same."""
        curl = make_curl(dynamodb_engine.host)
        curl._client._make_api_call("PutItem", {"TableName": table, "Item": KEY})
        spans.clear()
        outcome_of(TracedClient(curl), *arguments_of(call, table))
        outcome_of(curl._client, *arguments_of(call, table))
        own, botocores = spans.get_finished_spans()

        assert as_data(own) == as_data(botocores)
        assert own.attributes.keys() == botocores.attributes.keys()

    def test_retries(
        self,
        make_curl: Any,
        server: ScriptedServer,
        instrumented: None,
        spans: InMemorySpanExporter,
    ) -> None:
        """A call has one span, with the number of its retries."""
        server.play(*[error(500, "InternalServerError")] * 4)
        curl = make_curl(server.host, retries={"mode": "standard", "total_max_attempts": 2})
        arguments = ("GetItem", {"TableName": "t", "Key": KEY})
        outcome_of(TracedClient(curl), *arguments)
        outcome_of(curl._client, *arguments)
        own, botocores = spans.get_finished_spans()

        assert own.attributes["retry_attempts"] == 1
        assert as_data(own) == as_data(botocores)

    def test_item_collection_metrics(
        self,
        make_curl: Any,
        server: ScriptedServer,
        instrumented: None,
        spans: InMemorySpanExporter,
    ) -> None:
        """The sizes of item collections are an attribute."""
        metrics = {"ItemCollectionKey": KEY, "SizeEstimateRangeGB": [0.0, 1.0]}
        server.play(*[answer(200, {"ItemCollectionMetrics": metrics})] * 2)
        curl = make_curl(server.host)
        arguments = ("PutItem", {"TableName": "t", "Item": KEY, **METRICS})
        outcome_of(TracedClient(curl), *arguments)
        outcome_of(curl._client, *arguments)
        own, botocores = map(as_data, spans.get_finished_spans())

        assert own["attributes"]["aws.dynamodb.item_collection_metrics"] == metrics
        assert own == botocores

    def test_unreachable(
        self, make_curl: Any, instrumented: None, spans: InMemorySpanExporter
    ) -> None:
        """Without a response there is the exception, and no status of HTTP."""
        curl = make_curl(
            "http://127.0.0.1:9", retries={"mode": "standard", "total_max_attempts": 1}
        )
        arguments = ("GetItem", {"TableName": "t", "Key": KEY})
        outcome_of(TracedClient(curl), *arguments)
        outcome_of(curl._client, *arguments)
        own, botocores = map(as_data, spans.get_finished_spans())

        assert own["status"][0] is trace.StatusCode.ERROR
        assert own["attributes"] == botocores["attributes"]
        assert own["events"][0]["exception.type"] == botocores["events"][0]["exception.type"]


class TestTracedClient:
    def test_parent(
        self, make_curl: Any, dynamodb_engine: Engine, table: str, spans: InMemorySpanExporter
    ) -> None:
        """A span belongs to the span of the request."""
        client = TracedClient(make_curl(dynamodb_engine.host))
        with trace.get_tracer("app").start_as_current_span("GET /") as parent:
            client._make_api_call("GetItem", {"TableName": table, "Key": KEY})
        own = spans.get_finished_spans()[0]

        assert own.parent.span_id == parent.get_span_context().span_id

    @pytest.mark.parametrize(
        "key",
        ["suppress_instrumentation", context._SUPPRESS_INSTRUMENTATION_KEY],
        ids=["name", "key"],
    )
    def test_suppressed(
        self,
        make_curl: Any,
        dynamodb_engine: Engine,
        table: str,
        spans: InMemorySpanExporter,
        key: str,
    ) -> None:
        """Where instrumentations are suppressed there is no span."""
        client = TracedClient(make_curl(dynamodb_engine.host))
        token = context.attach(context.set_value(key, True))
        try:
            client._make_api_call("GetItem", {"TableName": table, "Key": KEY})
        finally:
            context.detach(token)

        assert spans.get_finished_spans() == ()

    def test_not_sampled(
        self, make_curl: Any, dynamodb_engine: Engine, table: str, spans: InMemorySpanExporter
    ) -> None:
        """A call of a request that is not sampled gets its response."""
        client = TracedClient(make_curl(dynamodb_engine.host))
        client._tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("app")
        response = client._make_api_call("Scan", {"TableName": table})

        assert response["Count"] == 0
        assert spans.get_finished_spans() == ()

    def test_everything_else(self, make_curl: Any, dynamodb_engine: Engine) -> None:
        """Other operations and attributes are those of the curl client."""
        curl = make_curl(dynamodb_engine.host)
        client = TracedClient(curl)

        assert repr(client) == f"<TracedClient of {curl!r}>"
        assert "TableNames" in client._make_api_call("ListTables", {})
        assert client.meta is curl.meta
        assert copy.copy(client)._curl is curl


class TestSetting:
    @pytest.fixture
    def db(self) -> PynamoDB:
        return PynamoDB()

    @pytest.fixture
    def todo(self, db: PynamoDB) -> Any:
        class Todo(db.Model):  # type: ignore[name-defined, misc]
            id = UnicodeAttribute(hash_key=True)

        return Todo

    def app_of(self, db: PynamoDB, engine: Engine, **settings: Any) -> Flask:
        app = Flask("a traced app")
        app.config.update(
            DYNAMODB_HOST=engine.host,
            DYNAMODB_REGION="eu-west-1",
            DYNAMODB_AWS_ACCESS_KEY_ID="local",
            DYNAMODB_AWS_SECRET_ACCESS_KEY="local",
            DYNAMODB_TABLE_PREFIX="traced-",
            **settings,
        )
        db.init_app(app)
        return app

    @pytest.mark.parametrize("transport", ["auto", "curl"])
    def test_on(
        self,
        db: PynamoDB,
        todo: Any,
        dynamodb_engine: Engine,
        spans: InMemorySpanExporter,
        transport: str,
    ) -> None:
        """Calls by curl have spans."""
        app = self.app_of(db, dynamodb_engine, DYNAMODB_TRACING="on", DYNAMODB_TRANSPORT=transport)
        with app.app_context():
            db.create_all()
            spans.clear()
            todo("1").save()

        assert [span.name for span in spans.get_finished_spans()] == ["DynamoDB.PutItem"]
        assert spans.get_finished_spans()[0].instrumentation_scope.name == "flask_pynamodb"

    def test_beside_the_instrumentation(
        self,
        db: PynamoDB,
        todo: Any,
        dynamodb_engine: Engine,
        instrumented: None,
        spans: InMemorySpanExporter,
    ) -> None:
        """Curl sends also while botocore is instrumented, and each call has one span."""
        app = self.app_of(db, dynamodb_engine, DYNAMODB_TRACING=True)
        with app.app_context():
            db.create_all()
            spans.clear()
            todo("1").save()
            db.connection.describe_table("traced-todo")
        scopes = {span.name: span.instrumentation_scope.name for span in spans.get_finished_spans()}

        assert scopes["DynamoDB.PutItem"] == "flask_pynamodb"
        assert scopes["DynamoDB.DescribeTable"].startswith("opentelemetry.")
        assert len(spans.get_finished_spans()) == 2

    def test_another_wrapper(
        self,
        db: PynamoDB,
        todo: Any,
        dynamodb_engine: Engine,
        instrumented: None,
        spans: InMemorySpanExporter,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A listener below the instrumentation still gets the calls, by botocore."""
        seen = []
        wrapper: Any = BaseClient._make_api_call
        original = wrapper.__wrapped__

        def listen(self: Any, operation_name: str, kwargs: Any) -> Any:
            seen.append(operation_name)
            return original(self, operation_name, kwargs)

        monkeypatch.setattr(vars(BaseClient)["_make_api_call"], "__wrapped__", listen)
        app = self.app_of(db, dynamodb_engine, DYNAMODB_TRACING=True)
        with app.app_context():
            db.create_all()
            todo("1").save()

        assert "PutItem" in seen

    def test_off(
        self, db: PynamoDB, todo: Any, dynamodb_engine: Engine, spans: InMemorySpanExporter
    ) -> None:
        """Without the setting there are none."""
        app = self.app_of(db, dynamodb_engine)
        with app.app_context():
            db.create_all()
            todo("1").save()

        assert spans.get_finished_spans() == ()

    def test_not_installed(
        self, db: PynamoDB, dynamodb_engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without opentelemetry-api the setting is rejected at start."""
        monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)

        with pytest.raises(ConfigurationError, match=r"DYNAMODB_TRACING needs opentelemetry-api"):
            self.app_of(db, dynamodb_engine, DYNAMODB_TRACING=True)
