"""The curl client: one call, from PynamoDB's arguments to the response."""

import itertools
import os
import random
import time
import uuid
import weakref
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any
from zlib import crc32

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
)

from flask_pynamodb.curl import codec
from flask_pynamodb.curl.endpoint import Endpoint
from flask_pynamodb.curl.errors import Response, UnreadableResponse, error_response, metadata
from flask_pynamodb.curl.operations import Operation, read_operations
from flask_pynamodb.curl.request import Headers
from flask_pynamodb.curl.retries import (
    DEFAULT_ATTEMPTS,
    Attempts,
    Failure,
    Quota,
    Retries,
    RetryKind,
    retry_kind_of,
)
from flask_pynamodb.curl.routes import Route, Routes
from flask_pynamodb.curl.signing import Credentials, Signer

Answer = dict[str, Any]

_clients: "weakref.WeakSet[CurlClient]" = weakref.WeakSet()


class CurlClient:
    """A replacement for a botocore client of DynamoDB that sends the data operations itself.

    Everything else (other operations, `meta`, `exceptions`, paginators) is delegated to the
    botocore client. The configuration of the botocore client applies: endpoint, region,
    credentials, timeouts, attempts, pool size, proxy, certificates. Safe for threads and forks.

    Args:
        client: A botocore client for DynamoDB.
        extra_headers: Sent with each request, unsigned.
        deadline_seconds: The deadline of one call with all its attempts and delays; None for no
            limit except the timeouts and the number of attempts.
        sleep: Waits between attempts; replaced by tests.
        rand: Returns a number between 0 and 1, as jitter; replaced by tests.

    Raises:
        ValueError: An extra header is invalid, or the configuration of the botocore client is not
            supported by this transport.
    """

    def __init__(
        self,
        client: Any,
        *,
        extra_headers: Mapping[str, str] | None = None,
        deadline_seconds: float | None = None,
        sleep: Callable[[float], object] | None = None,
        rand: Callable[[], float] = random.random,
    ) -> None:
        signer = client._request_signer
        self._client = client
        self._sleep = sleep or time.sleep
        self._operations = read_operations(client.meta.service_model)
        make_headers = partial(
            Headers,
            signer=Signer(signer.region_name, signer.signing_name),
            # The user agent in the configuration lacks the app ID.
            user_agent=f"{client._user_agent_creator.to_string()} md/transport#curl",
            extra=extra_headers or {},
        )
        self._routes = Routes(client, make_headers)
        self._retries = Retries(
            attempts=_attempts_of(client.meta.config.retries),
            deadline=deadline_seconds,
            quota=Quota(),
            rand=rand,
        )
        self._call_prefix = _call_prefix()
        self._calls = itertools.count()
        _clients.add(self)

    def __getattr__(self, name: str) -> Any:
        # A copy under construction has no client yet; looking it up would recurse forever.
        if name == "_client":
            raise AttributeError(name)
        return getattr(self._client, name)

    def __repr__(self) -> str:
        return f"<CurlClient for {self.endpoint.url}>"

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of the region, or the custom one."""
        return self._routes.default.endpoint

    @property
    def operations(self) -> Collection[str]:
        """The names of the operations that this client sends itself."""
        return self._operations.keys()

    def close(self) -> None:
        """Close idle connections, and the botocore client."""
        self._routes.close()
        self._client.close()

    def _make_api_call(self, operation_name: str, kwargs: dict[str, Any]) -> Answer:
        """Send one request. The method has botocore's name, under which PynamoDB calls it.

        Raises:
            ClientError: DynamoDB rejected the request.
            BotoCoreError: DynamoDB is not reachable, or there are no credentials; see `errors`.
        """
        operation = self._operations.get(operation_name)
        if operation is None:
            answer: Answer = self._client._make_api_call(operation_name, kwargs)
            return answer
        body = codec.encode(_with_token(operation, kwargs))
        call_id = f"{self._call_prefix}{next(self._calls):012x}"
        attempts = self._retries.start()
        credentials = self._credentials()
        account_id = getattr(credentials, "account_id", None)
        route = self._routes.find(operation_name, kwargs, account_id)
        while True:
            attempt_header = attempts.header(route.endpoint.read_timeout)
            headers = route.headers.lines(operation, body, credentials, call_id, attempt_header)
            outcome = self._attempt(route, operation, headers, body, attempts.seconds_left)
            if not isinstance(outcome, Failure):
                attempts.succeed()
                attempts.describe_in(outcome["ResponseMetadata"])
                return outcome
            wait = attempts.delay_after(outcome)
            if wait is None:
                try:
                    raise self._error(operation, outcome, attempts)
                finally:
                    # Otherwise the error and this frame would reference each other.
                    del outcome
            self._sleep(wait)
            # They may be renewed meanwhile.
            credentials = self._credentials()

    def _attempt(
        self,
        route: Route,
        operation: Operation,
        headers: list[str | bytes],
        body: bytes,
        seconds_left: float | None,
    ) -> Answer | Failure:
        read = partial(self._read, operation, route.endpoint)
        try:
            return route.pool.post(headers, body, seconds_left, read)
        except (ConnectionError, HTTPClientError) as error:
            # The traceback would keep the connection open as long as the error is referenced.
            return Failure(RetryKind.TRANSIENT, error.with_traceback(None))

    def _credentials(self) -> Credentials:
        # Read for each request: the credentials of a role change while the process runs.
        credentials = self._client._request_signer._credentials
        if credentials is None:
            raise NoCredentialsError()
        frozen: Credentials = credentials.get_frozen_credentials()
        return frozen

    def _read(
        self, operation: Operation, endpoint: Endpoint, response: Response
    ) -> Answer | Failure:
        declared = response.headers.get("x-amz-crc32")
        if declared is not None and declared != str(crc32(response.body)):
            raise _unreadable(endpoint, "its checksum does not match its header")
        if not 200 <= response.status < 300:
            error = error_response(response)
            retry_kind = retry_kind_of(response.status, error["Error"]["Code"], operation)
            return Failure(retry_kind, error, response.headers)
        try:
            answer = codec.decode(response.body)
        except ValueError as error:
            raise _unreadable(endpoint, str(error)) from error
        # A newer DynamoDB may add unknown fields, but not return them alone.
        if not isinstance(answer, dict) or (answer and operation.fields.isdisjoint(answer)):
            raise _unreadable(endpoint, f"it is not a response to {operation.name}")
        answer["ResponseMetadata"] = metadata(response)
        return answer

    def _error(
        self, operation: Operation, failure: Failure, attempts: Attempts
    ) -> BotoCoreError | ClientError:
        error = failure.error
        if not isinstance(error, dict):
            attempts.describe_in(error.kwargs)
            return error
        attempts.describe_in(error["ResponseMetadata"])
        kind: type[ClientError] = self._client.exceptions.from_code(error["Error"]["Code"])
        return kind(error, operation.name)

    def _reset_after_fork(self) -> None:
        self._call_prefix = _call_prefix()
        self._routes.reset_after_fork()
        self._retries.quota.replace_lock()


def _call_prefix() -> str:
    # A random UUID except for its last part, which is a counter: the ID identifies one call.
    return str(uuid.uuid4())[:24]


def _unreadable(endpoint: Endpoint, reason: str) -> UnreadableResponse:
    return UnreadableResponse(endpoint_url=endpoint.url, error=reason)


def _attempts_of(retries: Mapping[str, Any]) -> int:
    """Return the maximum number of attempts of one call.

    Raises:
        ValueError: The retry mode is one that only botocore has.
    """
    if retries["mode"] != "standard":
        raise ValueError(
            f"The curl transport has the retry mode `standard`, not `{retries['mode']}`: use the"
            " botocore transport."
        )
    return retries.get("total_max_attempts") or DEFAULT_ATTEMPTS


def _with_token(operation: Operation, kwargs: dict[str, Any]) -> dict[str, Any]:
    if operation.takes_token and "ClientRequestToken" not in kwargs:
        return {**kwargs, "ClientRequestToken": str(uuid.uuid4())}
    return kwargs


def _reset_all_after_fork() -> None:
    for client in _clients:
        client._reset_after_fork()


os.register_at_fork(after_in_child=_reset_all_after_fork)
