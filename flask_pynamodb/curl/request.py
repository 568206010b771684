"""The header lines of a request."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from flask_pynamodb.curl.endpoint import Target
from flask_pynamodb.curl.operations import Operation
from flask_pynamodb.curl.signing import (
    Credentials,
    Seal,
    Signer,
    canonical_path,
    canonical_query,
    timestamp,
)

_CONTENT_TYPE = "application/x-amz-json-1.0"
# What is signed, or tells the server where the request ends, or is counted here.
_RESERVED = frozenset(
    {
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-target",
    }
)


class Headers:
    """Writes and signs the headers of requests to one endpoint.

    Args:
        target: The endpoint.
        signer: Signs for the endpoint's region.
        user_agent: botocore's.
        extra: Headers of the user's own. They are not signed, as PynamoDB's are not, since what
            stands between here and DynamoDB may change them.

    Raises:
        ValueError: An extra header would break the request.
    """

    def __init__(
        self, target: Target, signer: Signer, user_agent: str, extra: Mapping[str, str]
    ) -> None:
        _refuse_what_breaks(extra)
        others = {"user-agent": user_agent, "accept-encoding": "identity"}
        others.update((name.lower(), value) for name, value in extra.items())
        # A name and nothing else tells curl to leave its own header out.
        self._others: list[str | bytes] = [_line(name, value) for name, value in others.items()]
        self._others += [f"{name}:" for name in ("accept", "expect") if name not in others]
        self._signer = signer
        self._host = target.host
        self._url = canonical_path(target.path), canonical_query(target.query)
        self._known: dict[str, _Prepared] = {}

    def lines(
        self, operation: Operation, body: bytes, credentials: Credentials, call_id: str, tries: str
    ) -> list[str | bytes]:
        """All header lines of one try.

        Args:
            operation: What is asked for.
            body: As it is sent.
            credentials: Who asks, now: they may be others than at the last try.
            call_id: The same for all tries of a call.
            tries: How many there have been and may be.
        """
        second = int(time.time())
        known = self._known.get(operation.name)
        if known is None or known.second != second or known.credentials != credentials:
            known = self._known[operation.name] = self._prepare(operation, credentials, second)
        return [
            f"authorization: {known.seal.authorization(body)}",
            f"amz-sdk-invocation-id: {call_id}",
            f"amz-sdk-request: {tries}",
            *known.lines,
        ]

    def _prepare(self, operation: Operation, credentials: Credentials, second: int) -> "_Prepared":
        moment = timestamp(second)
        signed = {
            "content-type": _CONTENT_TYPE,
            "host": self._host,
            "x-amz-date": moment,
            "x-amz-target": operation.target,
        }
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        return _Prepared(
            second=second,
            credentials=credentials,
            lines=[*(f"{name}: {value}" for name, value in signed.items()), *self._others],
            seal=self._signer.seal(credentials, moment, self._url, signed),
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What all requests for one operation have in common within one second."""

    second: int
    credentials: Credentials
    lines: list[str | bytes]
    seal: Seal


def _refuse_what_breaks(extra: Mapping[str, str]) -> None:
    for name, value in extra.items():
        if name.lower() in _RESERVED:
            raise ValueError(f"The extra header {name!r} cannot be set: it belongs to the request.")
        # isprintable() knows nothing above it of CR, LF and their like, which would end the line.
        if not (name.isprintable() and value.isprintable() and name and not set(name) & set(" :;")):
            raise ValueError(f"The extra header {name!r} has characters that no header may have.")


def _line(name: str, value: str) -> bytes:
    # To curl, "name:" means to send none; "name;" is the one that is empty.
    return f"{name}: {value}".encode() if value else f"{name};".encode()
