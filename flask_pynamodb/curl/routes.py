"""Where each request goes: the endpoint of the region, of an account, or of a table's owner.

Source: "Account-based endpoints" in the AWS SDKs and Tools reference guide, and the rules for
endpoints in botocore's data, which botocore evaluates here.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_pynamodb.curl.endpoint import Endpoint, read_endpoint
from flask_pynamodb.curl.http import Pool
from flask_pynamodb.curl.request import Headers

# Accounts whose roles one process assumes, and owners of tables that it names by their ARN.
_MAX_ROUTES = 64


@dataclass(frozen=True, slots=True)
class Route:
    """The way of requests to one endpoint.

    Attributes:
        endpoint: The endpoint.
        headers: Signs requests to it.
        pool: The connections to it.
    """

    endpoint: Endpoint
    headers: Headers
    pool: Pool


class Routes:
    """The routes of a botocore client. Safe for threads.

    Args:
        client: The botocore client.
        make_headers: Returns what signs requests to an endpoint.
    """

    def __init__(self, client: Any, make_headers: Callable[[Endpoint], Headers]) -> None:
        self._client = client
        self._make_headers = make_headers
        self._lock = threading.Lock()
        self._by_url: dict[str, Route] = {}
        self._by_account: dict[str | None, Route] = {}
        self.default = self._at(client.meta.endpoint_url)

    def find(
        self, operation_name: str, arguments: Mapping[str, Any], account_id: str | None
    ) -> Route:
        """Return the route of one call.

        Args:
            operation_name: The name of the operation.
            arguments: The arguments of the request.
            account_id: The account of the credentials, if it is known.

        Raises:
            EndpointProviderError: The configuration requires an endpoint that does not exist.
        """
        if _names_arn(arguments):
            return self._at(self._resolve(operation_name, arguments))
        route = self._by_account.get(account_id)
        if route is None:
            route = self._at(self._resolve(operation_name, arguments))
            with self._lock:
                _store(self._by_account, account_id, route)
        return route

    def close(self) -> None:
        """Close idle connections."""
        for route in list(self._by_url.values()):
            route.pool.close()

    def reset_after_fork(self) -> None:
        """Leave the connections to the parent, a thread of which may have held the lock."""
        self._lock = threading.Lock()
        for route in list(self._by_url.values()):
            route.pool.abandon()

    def _resolve(self, operation_name: str, arguments: Mapping[str, Any]) -> str:
        operation = self._client.meta.service_model.operation_model(operation_name)
        url: str = self._client._resolve_endpoint_ruleset(operation, arguments, {})[0]
        return url

    def _at(self, url: str) -> Route:
        route = self._by_url.get(url)
        if route is None:
            endpoint = read_endpoint(self._client, url)
            route = Route(endpoint, self._make_headers(endpoint), Pool(endpoint))
            with self._lock:
                route = _store(self._by_url, url, route)
        return route


def _store(routes: dict[Any, Route], key: Any, route: Route) -> Route:
    """Store a route instead of the oldest one; return the one that is stored already."""
    if key not in routes and len(routes) >= _MAX_ROUTES:
        del routes[next(iter(routes))]
    return routes.setdefault(key, route)


def _names_arn(arguments: Mapping[str, Any]) -> bool:
    """Return whether a table is named by its ARN, which may be one of another account."""
    if "TableName" in arguments:
        return _is_arn(arguments["TableName"])
    if "RequestItems" in arguments:
        return any(map(_is_arn, arguments["RequestItems"]))
    operations = (one for item in arguments.get("TransactItems", ()) for one in item.values())
    return any(_is_arn(one.get("TableName")) for one in operations)


def _is_arn(table: Any) -> bool:
    # DynamoDB rejects names that are not strings.
    return isinstance(table, str) and table.startswith("arn:")
