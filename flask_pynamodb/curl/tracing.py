"""Spans of OpenTelemetry for calls by curl, as the instrumentation of botocore makes them.

Source of names and attributes: opentelemetry-instrumentation-botocore 0.66b2, whose conventions
for DynamoDB are those of version 1.11 of the schema; a test compares the spans of both.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode

_SCHEMA = "https://opentelemetry.io/schemas/1.11.0"
_PREFIX = "aws.dynamodb."

# Attributes by the name after the prefix, with the field of the request or of the response.
_READ = {"consistent_read": "ConsistentRead", "projection": "ProjectionExpression"}
_LIST = {
    **_READ,
    "attributes_to_get": "AttributesToGet",
    "index_name": "IndexName",
    "limit": "Limit",
    "select": "Select",
}
_OF_REQUESTS: Mapping[str, Mapping[str, str]] = {
    "GetItem": _READ,
    "Query": {"scan_forward": "ScanIndexForward", **_LIST},
    "Scan": {"segment": "Segment", "total_segments": "TotalSegments", **_LIST},
}
_WITH_METRICS = frozenset({"BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"})
# The instrumentation knows only what is common to all services of transactions.
_WITHOUT_DETAILS = frozenset({"TransactGetItems", "TransactWriteItems"})


class TracedClient:
    """A curl client with a span for each call.

    Everything else is delegated to the curl client.

    Args:
        curl: The curl client.
    """

    def __init__(self, curl: Any) -> None:
        self._curl = curl
        self._tracer = trace.get_tracer("flask_pynamodb", schema_url=_SCHEMA)
        # The instrumentation has the endpoint of the client, not that of an account.
        url = urlsplit(curl.meta.endpoint_url)
        self._attributes = {
            "rpc.system": "aws-api",
            "rpc.service": "DynamoDB",
            "cloud.region": curl.meta.region_name,
            "server.address": url.hostname,
            "server.port": url.port or 443,
            "db.system": "dynamodb",
            "net.peer.name": url.netloc,
        }

    def __getattr__(self, name: str) -> Any:
        # A copy under construction has no client yet; looking it up would recurse forever.
        if name == "_curl":
            raise AttributeError(name)
        return getattr(self._curl, name)

    def __repr__(self) -> str:
        return f"<TracedClient of {self._curl!r}>"

    def _make_api_call(self, operation_name: str, kwargs: dict[str, Any]) -> Any:
        """Send one request. The method has botocore's name, under which PynamoDB calls it."""
        send = self._curl._make_api_call
        if operation_name not in self._curl.operations or _is_suppressed():
            return send(operation_name, kwargs)
        with self._tracer.start_as_current_span(
            f"DynamoDB.{operation_name}",
            kind=SpanKind.CLIENT,
            attributes=self._start_attributes(operation_name, kwargs),
            set_status_on_exception=False,
        ) as span:
            return _send(span, send, operation_name, kwargs)

    def _start_attributes(self, operation_name: str, request: Mapping[str, Any]) -> Any:
        attributes = {
            **self._attributes,
            "rpc.method": operation_name,
            "db.operation": operation_name,
        }
        if operation_name in _WITHOUT_DETAILS:
            return attributes
        tables = request.get("RequestItems") or (request["TableName"],)
        attributes[f"{_PREFIX}table_names"] = tuple(tables)
        return attributes


def _send(
    span: Span, send: Callable[..., Any], operation_name: str, request: dict[str, Any]
) -> Any:
    if span.is_recording():
        for name, field in _OF_REQUESTS.get(operation_name, {}).items():
            if request.get(field) is not None:
                span.set_attribute(f"{_PREFIX}{name}", request[field])
    try:
        response = send(operation_name, request)
    except ClientError as error:
        _describe(span, error.response["ResponseMetadata"])
        span.set_status(StatusCode.ERROR, str(error))
        raise
    except Exception as error:
        span.set_status(StatusCode.ERROR, str(error))
        raise
    if span.is_recording():
        _describe(span, response["ResponseMetadata"])
        span.set_attributes(_response_attributes(operation_name, response))
    return response


def _describe(span: Span, metadata: Mapping[str, Any]) -> None:
    attributes = {
        "aws.request_id": metadata.get("RequestId"),
        "retry_attempts": metadata["RetryAttempts"],
        "http.status_code": metadata["HTTPStatusCode"],
    }
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})


def _response_attributes(operation_name: str, response: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if operation_name in _WITHOUT_DETAILS:
        return attributes
    consumed = response.get("ConsumedCapacity")
    if consumed is not None:
        parts = consumed if isinstance(consumed, list) else [consumed]
        attributes[f"{_PREFIX}consumed_capacity"] = tuple(map(json.dumps, parts))
    metrics = response.get("ItemCollectionMetrics")
    if metrics is not None and operation_name in _WITH_METRICS:
        attributes[f"{_PREFIX}item_collection_metrics"] = json.dumps(metrics)
    if operation_name == "Scan":
        attributes[f"{_PREFIX}count"] = response["Count"]
        attributes[f"{_PREFIX}scanned_count"] = response["ScannedCount"]
    return attributes


def _is_suppressed() -> bool:
    # Both keys are those of opentelemetry-instrumentation.
    keys = (context._SUPPRESS_INSTRUMENTATION_KEY, "suppress_instrumentation")
    return any(map(context.get_value, keys))
