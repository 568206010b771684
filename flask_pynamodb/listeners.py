"""Find out who follows botocore's requests: only botocore's own client notifies and obeys them.

Examples are moto's `mock_aws`, botocore's Stubber, VCR.py, and the instrumentations of
OpenTelemetry, AWS X-Ray, Datadog and Sentry. With another client a mocked test would reach AWS.
"""

from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session

# The events of a request, in their order.
_EVENTS = (
    "provide-client-params",
    "before-parameter-build",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "needs-retry",
    "after-call",
    "after-call-error",
)
_OWN_MODULES = ("botocore.", "pynamodb.", "flask_pynamodb.")
_STUBBER = "botocore.stub"


class Listeners:
    """The listeners to the requests of one botocore client.

    Args:
        client: A botocore client for DynamoDB, on which no method of its events is in use yet.
        operations: The names of the operations that another client would send.
        ignored: Modules whose listeners do not count.
    """

    def __init__(
        self, client: Any, operations: Iterable[str], ignored: tuple[str, ...] = ()
    ) -> None:
        self._client = client
        self._ignored = ignored
        self._names = [f"{event}.dynamodb.{name}" for name in operations for event in _EVENTS]
        self._is_stale = True
        self._replaced: tuple[Any, ...] = ()
        self._reason: str | None = None
        # Mocks that are registered with each client, and switched on for a test.
        self._switches: list[Any] = []
        self._watch_registrations(client.meta.events)

    def find(self) -> str | None:
        """Return who follows the requests now, None for none. Costs less than a microsecond."""
        replaced = _replaceable()
        if self._is_stale or replaced != self._replaced:
            self._is_stale = False
            self._replaced = replaced
            self._reason = self._search()
        for switch in self._switches:
            if switch.enabled:
                return _module_of(switch)
        return self._reason

    def _search(self) -> str | None:
        for part in map(self._without_ignored, self._replaced):
            if _is_foreign(part):
                return _module_of(part)
        # Not public, but the only way to see the handlers; a test registers one for each event.
        handlers = self._client.meta.events._emitter._handlers
        found = [each for name in self._names for each in handlers.prefix_search(name)]
        foreign = list({id(each): each for each in found if _is_foreign(each)}.values())
        self._switches = [each for each in foreign if isinstance(_enabled(each), bool)]
        others = (each for each in foreign if each not in self._switches)
        return next(map(_module_of, others), None)

    def _without_ignored(self, part: Any) -> Any:
        """Return what is behind the wrappers of ignored modules."""
        while _module_of(part) in self._ignored:
            part = part.__wrapped__
        return part

    def _watch_registrations(self, events: Any) -> None:
        for name in ("register", "register_first", "register_last", "unregister"):
            setattr(events, name, self._noting(getattr(events, name)))

    def _noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            try:
                return method(*args, **kwargs)
            finally:
                self._is_stale = True

        return noted


def _replaceable() -> tuple[Any, ...]:
    """Return the parts of botocore that instrumentations and mocks replace."""
    return (
        BaseClient._make_api_call,
        URLLib3Session.send,
        AWSHTTPConnectionPool.ConnectionCls,
        AWSHTTPSConnectionPool.ConnectionCls,
    )


def _is_foreign(part: Any) -> bool:
    module = _module_of(part)
    return not module.startswith(_OWN_MODULES) or module == _STUBBER


def _module_of(part: Any) -> str:
    """Return the module whose code runs first when a function, method or class is called."""
    kind = type(part)
    if kind is partial:
        return _module_of(part.func)
    if kind is MethodType:
        return _module_of(part.__func__)
    if kind is FunctionType:
        return str(part.__globals__["__name__"])
    if isinstance(part, type):
        return part.__module__
    # An object of the library wrapt looks like the function that it wraps.
    wrapper = getattr(part, "_self_wrapper", None)
    return _module_of(wrapper) if wrapper else kind.__module__


def _enabled(part: Any) -> Any:
    return getattr(part, "enabled", None)
