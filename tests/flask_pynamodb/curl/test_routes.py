"""The endpoint of each call is that of botocore: of the region, an account, or a table's owner."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.exceptions import EndpointProviderError

from flask_pynamodb import ConfigurationError, is_unavailable
from flask_pynamodb.connection import AppConnection
from flask_pynamodb.curl import CurlClient
from flask_pynamodb.curl.routes import Routes
from tests.flask_pynamodb.curl.conftest import TRANSPORTS

KEY = {"id": {"S": "1"}}
OWN = "arn:aws:dynamodb:eu-west-1:111122223333:table/t"
OTHER = "arn:aws:dynamodb:eu-west-1:444455556666:table/t"
CALLS = {
    "name": ("GetItem", {"TableName": "t", "Key": KEY}),
    "arn": ("GetItem", {"TableName": OTHER, "Key": KEY}),
    "query": ("Query", {"TableName": OTHER}),
    "batch": ("BatchGetItem", {"RequestItems": {"t": {"Keys": [KEY]}}}),
    "batch-arns": ("BatchGetItem", {"RequestItems": {OTHER: {}, OWN: {}}}),
    "write": ("BatchWriteItem", {"RequestItems": {"t": [], OTHER: []}}),
    "transaction": ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": OTHER}}]}),
    "transaction-writes": (
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "t"}}, {"Delete": {"TableName": OTHER}}]},
    ),
    "empty": ("GetItem", {}),
}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "preferred": {"account_id_endpoint_mode": "preferred"},
    "disabled": {"account_id_endpoint_mode": "disabled"},
    "required": {"account_id_endpoint_mode": "required"},
    "dualstack": {"use_dualstack_endpoint": True},
    "dualstack-required": {"use_dualstack_endpoint": True, "account_id_endpoint_mode": "required"},
    "fips": {"use_fips_endpoint": True},
    "fips-required": {"use_fips_endpoint": True, "account_id_endpoint_mode": "required"},
}


class Sent(Exception):
    """Stands for the response: nothing is sent to AWS."""


def botocore_url(client: Any, call: tuple[str, dict[str, Any]]) -> str:
    """Returns the URL of botocore's own request, or its error."""

    def stop(request: AWSRequest, **_: Any) -> None:
        raise Sent(request.url.rstrip("/"))

    client.meta.events.register("before-send", stop)
    try:
        client._make_api_call(*call)
    except (Sent, EndpointProviderError) as error:
        return str(error)
    finally:
        client.meta.events.unregister("before-send", stop)
    raise AssertionError("botocore has sent nothing.")


def curl_url(client: CurlClient, call: tuple[str, dict[str, Any]]) -> str:
    account_id = client._credentials().account_id  # type: ignore[attr-defined]
    try:
        return client._routes.find(*call, account_id).endpoint.url.rstrip("/")
    except EndpointProviderError as error:
        return str(error)


@pytest.fixture
def make_routed(
    make_botocore: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CurlClient]:
    """Makes a client with keys of the environment, which may have an account ID."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    def make(account_id: str | None, endpoint: str | None = None, **config: Any) -> CurlClient:
        if account_id:
            monkeypatch.setenv("AWS_ACCOUNT_ID", account_id)
        client = make_botocore(endpoint, keys=None, parameter_validation=False, **config)
        return CurlClient(client)

    return make


class TestSameAsBotocore:
    @pytest.mark.parametrize("account_id", [None, "111122223333", "not a host label!"])
    @pytest.mark.parametrize("configuration", CONFIGURATIONS)
    def test_aws(self, make_routed: Any, account_id: str | None, configuration: str) -> None:
        """Each call goes where botocore sends it, or fails with the same text."""
        client = make_routed(account_id, **CONFIGURATIONS[configuration])
        urls = {name: curl_url(client, call) for name, call in CALLS.items()}

        assert urls == {name: botocore_url(client._client, call) for name, call in CALLS.items()}

    @pytest.mark.parametrize("mode", ["preferred", "disabled", "required"])
    @pytest.mark.parametrize("account_id", [None, "111122223333"])
    def test_custom_endpoint(self, make_routed: Any, account_id: str | None, mode: str) -> None:
        """A custom endpoint serves all accounts."""
        client = make_routed(account_id, "http://127.0.0.1:8000", account_id_endpoint_mode=mode)
        urls = {curl_url(client, call) for call in CALLS.values()}

        assert urls == {"http://127.0.0.1:8000"}
        assert botocore_url(client._client, CALLS["arn"]) == "http://127.0.0.1:8000"

    def test_mode_of_the_environment(
        self, make_routed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The mode of the environment counts."""
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
        client = make_routed("111122223333")

        assert curl_url(client, CALLS["name"]) == "https://dynamodb.eu-west-1.amazonaws.com"


class TestRoutes:
    def test_renewed_credentials(self, make_routed: Any) -> None:
        """Credentials of another account lead to its endpoint, as by botocore."""
        client = make_routed("111122223333")
        url = curl_url(client, CALLS["name"])
        client._request_signer._credentials.account_id = "444455556666"
        other = curl_url(client, CALLS["name"])

        assert url == "https://111122223333.ddb.eu-west-1.amazonaws.com"
        assert other == "https://444455556666.ddb.eu-west-1.amazonaws.com"
        assert other == botocore_url(client._client, CALLS["name"])

    def test_is_reused(self, make_routed: Any) -> None:
        """Calls of one account share connections; the names of hosts are those of the headers."""
        client = make_routed("111122223333")
        routes: Routes = client._routes
        route = routes.find(*CALLS["name"], "111122223333")

        assert routes.find(*CALLS["batch"], "111122223333") is route
        assert route.headers._host == "111122223333.ddb.eu-west-1.amazonaws.com"

    def test_bounded(self, make_routed: Any) -> None:
        """The number of kept routes is bounded, however many accounts there are."""
        routes: Routes = make_routed(None)._routes
        for number in range(100):
            arn = f"arn:aws:dynamodb:eu-west-1:{number:012}:table/t"
            routes.find("GetItem", {"TableName": arn}, None)

        assert len(routes._by_url) == 64


class TestErrors:
    @pytest.fixture(params=TRANSPORTS)
    def connection(self, request: pytest.FixtureRequest) -> AppConnection:
        return AppConnection(
            region="eu-west-1",
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            transport=request.param,
        )

    def test_required(self, connection: AppConnection, monkeypatch: pytest.MonkeyPatch) -> None:
        """An account-based endpoint that is required but unknown is a wrong configuration."""
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "required")

        with pytest.raises(ConfigurationError, match="no AccountID was provided") as failed:
            connection.dispatch(*CALLS["name"])

        assert is_unavailable(failed.value)

    def test_unknown_mode(self, connection: AppConnection, monkeypatch: pytest.MonkeyPatch) -> None:
        """An unknown mode is a wrong configuration, too."""
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "sometimes")

        with pytest.raises(ConfigurationError, match="account_id_endpoint_mode"):
            connection.dispatch(*CALLS["name"])
