"""The header lines of a request."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flask_pynamodb.curl.endpoint import Endpoint
from flask_pynamodb.curl.operations import Operation
from flask_pynamodb.curl.signing import (
    Credentials,
    PreparedSignature,
    Signer,
    canonical_path,
    canonical_query,
    timestamp,
)
from flask_pynamodb.extra_headers import reject_invalid, reject_reserved

_CONTENT_TYPE = "application/x-amz-json-1.0"
# Characters of a trace ID that botocore does not quote.
_SAFE_IN_TRACE_ID = "-=;:+&[]{}\"',"


class Headers:
    """Builds and signs the headers of requests to one endpoint.

    Args:
        endpoint: The endpoint.
        signer: Signs for the endpoint's region.
        user_agent: The user agent of botocore.
        extra: Extra headers. Like PynamoDB's they are not signed, because proxies may change them.

    Raises:
        ValueError: An extra header is invalid or reserved.
    """

    def __init__(
        self, endpoint: Endpoint, signer: Signer, user_agent: str, extra: Mapping[str, str]
    ) -> None:
        try:
            reject_invalid(extra)
            reject_reserved(extra)
        except ValueError as error:
            raise ValueError(f"The setting extra_headers {error}.") from None
        others = {"user-agent": user_agent, "accept-encoding": "identity"}
        others.update((name.lower(), value) for name, value in extra.items())
        # A name without a value removes curl's own header.
        self._others: list[str | bytes] = [_line(name, value) for name, value in others.items()]
        self._others += [f"{name}:" for name in ("accept", "expect") if name not in others]
        self._is_in_lambda = (
            "AWS_LAMBDA_FUNCTION_NAME" in os.environ and "x-amzn-trace-id" not in others
        )
        self._signer = signer
        self._host = endpoint.host
        self._url = canonical_path(endpoint.path), canonical_query(endpoint.query)
        self._known: dict[str, _Prepared] = {}

    def lines(
        self,
        operation: Operation,
        body: bytes,
        credentials: Credentials,
        call_id: str,
        attempt: str,
    ) -> list[str | bytes]:
        """Return all header lines of one attempt.

        Args:
            operation: The operation.
            body: The encoded body.
            credentials: The current credentials, which may differ from the last attempt's.
            call_id: The ID of the call, the same for all its attempts.
            attempt: The value of amz-sdk-request.
        """
        second = int(time.time())
        known = self._known.get(operation.name)
        if known is None or known.second != second or known.credentials != credentials:
            known = self._known[operation.name] = self._prepare(operation, credentials, second)
        lines = [
            f"authorization: {known.signature.authorization(body)}",
            f"amz-sdk-invocation-id: {call_id}",
            f"amz-sdk-request: {attempt}",
            *known.lines,
        ]
        # AWS Lambda sets it before each invocation, so that loops of functions are detected.
        if self._is_in_lambda and (trace_id := os.environ.get("_X_AMZN_TRACE_ID")):
            lines.append(f"x-amzn-trace-id: {quote(trace_id, safe=_SAFE_IN_TRACE_ID)}")
        return lines

    def _prepare(self, operation: Operation, credentials: Credentials, second: int) -> "_Prepared":
        date = timestamp(second)
        signed = {
            "content-type": _CONTENT_TYPE,
            "host": self._host,
            "x-amz-date": date,
            "x-amz-target": operation.target,
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        return _Prepared(
            second=second,
            credentials=credentials,
            lines=[*(f"{name}: {value}" for name, value in signed.items()), *self._others],
            signature=self._signer.prepare(credentials, date, self._url, signed),
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The common part of all requests of one operation within one second."""

    second: int
    credentials: Credentials
    lines: list[str | bytes]
    signature: PreparedSignature


def _line(name: str, value: str) -> bytes:
    # To curl, "name:" removes a header; "name;" is an empty one.
    return f"{name}: {value}".encode() if value else f"{name};".encode()
