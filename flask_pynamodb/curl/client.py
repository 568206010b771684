"""The lean client: one call, from PynamoDB's arguments to the answer."""

import itertools
import os
import random
import time
import uuid
import weakref
from collections.abc import Callable, Mapping
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
from flask_pynamodb.curl.endpoint import target_of
from flask_pynamodb.curl.errors import Reply, UnreadableReply, error_response, metadata
from flask_pynamodb.curl.http import Pool
from flask_pynamodb.curl.operations import Operation, read_operations
from flask_pynamodb.curl.request import Headers
from flask_pynamodb.curl.retries import (
    DEFAULT_TRIES,
    Failure,
    Hope,
    Quota,
    Retries,
    Tries,
    hope_after,
)
from flask_pynamodb.curl.signing import Credentials, Signer

Answer = dict[str, Any]

_clients: "weakref.WeakSet[LeanClient]" = weakref.WeakSet()


class LeanClient:
    """Looks like a botocore client for DynamoDB, and sends the operations on data by itself.

    Everything else (other operations, `meta`, `exceptions`, paginators) is the botocore client's.
    What the botocore client has been set up with holds here too: endpoint, region, credentials,
    timeouts, tries, pool size, proxy, certificates. Safe for threads and for forks.

    Args:
        client: A botocore client for DynamoDB.
        extra_headers: Sent with each request, unsigned.
        deadline_seconds: What one call may take with all its tries and waits; None: no limit but
            the timeouts' and tries' own.
        sleep: Waits between tries; tests put their own here.
        rand: A number between 0 and 1, as jitter; tests put their own here.

    Raises:
        ValueError: An extra header would break requests, or the botocore client is set up for
            something that only botocore can do.
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
        config, signer = client.meta.config, client._request_signer
        self._client = client
        self._sleep = sleep or time.sleep
        self._target = target_of(client)
        self._pool = Pool(self._target)
        self._operations = read_operations(client.meta.service_model)
        self._headers = Headers(
            self._target,
            Signer(signer.region_name, signer.signing_name),
            f"{config.user_agent} md/transport#lean",
            extra_headers or {},
        )
        self._retries = Retries(
            tries=(config.retries or {}).get("total_max_attempts") or DEFAULT_TRIES,
            deadline=deadline_seconds,
            quota=Quota(),
            rand=rand,
        )
        self._call_prefix = _call_prefix()
        self._calls = itertools.count()
        _clients.add(self)

    def __getattr__(self, name: str) -> Any:
        # A copy that is still being made has no client yet, and must not look for it for ever.
        if name == "_client":
            raise AttributeError(name)
        return getattr(self._client, name)

    def __repr__(self) -> str:
        return f"<LeanClient of {self._target.url}>"

    def close(self) -> None:
        """Close idle connections, and the botocore client."""
        self._pool.close()
        self._client.close()

    def _make_api_call(self, operation_name: str, kwargs: dict[str, Any]) -> Answer:
        """Make one call; the name is botocore's, since PynamoDB calls it by this one.

        Raises:
            ClientError: DynamoDB has refused the request.
            BotoCoreError: DynamoDB is out of reach, or there are no credentials; see `errors`.
        """
        operation = self._operations.get(operation_name)
        if operation is None:
            answer: Answer = self._client._make_api_call(operation_name, kwargs)
            return answer
        body = codec.encode(_with_token(operation, kwargs))
        call_id = f"{self._call_prefix}{next(self._calls):012x}"
        tries = self._retries.start()
        while True:
            outcome = self._try(operation, body, call_id, tries)
            if not isinstance(outcome, Failure):
                tries.succeed()
                tries.describe_in(outcome["ResponseMetadata"])
                return outcome
            wait = tries.wait_after(outcome)
            if wait is None:
                try:
                    raise self._error(operation, outcome, tries)
                finally:
                    # Or the error would know this frame, and this frame the error.
                    del outcome
            self._sleep(wait)

    def _try(
        self, operation: Operation, body: bytes, call_id: str, tries: Tries
    ) -> Answer | Failure:
        told = tries.header(self._target.read_timeout)
        headers = self._headers.lines(operation, body, self._credentials(), call_id, told)
        read = partial(self._read, operation)
        try:
            return self._pool.post(headers, body, tries.seconds_left, read)
        except (ConnectionError, HTTPClientError) as error:
            # Its traceback would keep the connection open as long as the error is referenced.
            return Failure(Hope.TRANSIENT, error.with_traceback(None))

    def _credentials(self) -> Credentials:
        # Asked for each time: a role's credentials change while the process runs.
        credentials = self._client._request_signer._credentials
        if credentials is None:
            raise NoCredentialsError()
        frozen: Credentials = credentials.get_frozen_credentials()
        return frozen

    def _read(self, operation: Operation, reply: Reply) -> Answer | Failure:
        declared = reply.headers.get("x-amz-crc32")
        if declared is not None and declared != str(crc32(reply.body)):
            raise self._unreadable("its checksum is another one than it declares")
        if not 200 <= reply.status < 300:
            response = error_response(reply)
            hope = hope_after(reply.status, response["Error"]["Code"], operation)
            return Failure(hope, response, reply.headers)
        try:
            answer = codec.decode(reply.body)
        except ValueError as error:
            raise self._unreadable(str(error)) from error
        # A member that is not known yet may be news; if there are no others, it is no answer.
        if not isinstance(answer, dict) or (answer and operation.members.isdisjoint(answer)):
            raise self._unreadable(f"no answer to {operation.name} looks like this")
        answer["ResponseMetadata"] = metadata(reply)
        return answer

    def _unreadable(self, reason: str) -> UnreadableReply:
        return UnreadableReply(endpoint_url=self._target.url, error=reason)

    def _error(
        self, operation: Operation, failure: Failure, tries: Tries
    ) -> BotoCoreError | ClientError:
        error = failure.error
        if not isinstance(error, dict):
            tries.describe_in(error.kwargs)
            return error
        tries.describe_in(error["ResponseMetadata"])
        kind: type[ClientError] = self._client.exceptions.from_code(error["Error"]["Code"])
        return kind(error, operation.name)

    def _renew_after_fork(self) -> None:
        self._call_prefix = _call_prefix()
        self._pool.abandon()
        self._retries.quota.renew_lock()


def _call_prefix() -> str:
    # A random UUID but for its last part, which counts: it tells the tries of one call from those
    # of another.
    return str(uuid.uuid4())[:24]


def _with_token(operation: Operation, kwargs: dict[str, Any]) -> dict[str, Any]:
    if operation.wants_token and "ClientRequestToken" not in kwargs:
        return {**kwargs, "ClientRequestToken": str(uuid.uuid4())}
    return kwargs


def _renew_all_after_fork() -> None:
    for client in _clients:
        client._renew_after_fork()


os.register_at_fork(after_in_child=_renew_all_after_fork)
