"""An endpoint that dies and comes back."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from flask_pynamodb.curl import CurlClient
from flask_pynamodb.local.process import free_port
from tests.support.engine import local_engine

KEY = {"id": {"S": "1"}}
TABLE: dict[str, Any] = {
    "TableName": "outage",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def get(client: CurlClient) -> Any:
    return client._make_api_call("GetItem", {"TableName": "outage", "Key": KEY}).get("Item")


def failure_of(client: CurlClient) -> EndpointConnectionError:
    with pytest.raises(EndpointConnectionError) as caught:
        get(client)
    return caught.value


class TestOutage:
    def test_service_goes_on_when_the_endpoint_is_back(
        self, tmp_path: Path, make_curl: Any
    ) -> None:
        """Calls fail while it is away, and find their data when it is back, without a restart."""
        port = free_port()
        with local_engine(tmp_path, port=port) as engine:
            client = make_curl(engine.host, curl={"sleep": lambda wait: None})
            client.create_table(**TABLE)
            client._make_api_call("PutItem", {"TableName": "outage", "Item": KEY})
        failures = [failure_of(client) for _ in range(3)]
        with local_engine(tmp_path, port=port):
            found = [get(client) for _ in range(3)]

        assert [failure.kwargs["RetryAttempts"] for failure in failures] == [3, 3, 3]
        assert found == [KEY, KEY, KEY]

    def test_an_endpoint_that_is_back_within_the_tries_was_never_away(
        self, tmp_path: Path, make_curl: Any
    ) -> None:
        """A restart between two tries costs a wait and nothing else."""
        port = free_port()
        engine = local_engine(tmp_path, port=port).start()
        revived = local_engine(tmp_path, port=port)
        client = make_curl(engine.host, curl={"sleep": lambda wait: revived.start()})
        client.create_table(**TABLE)
        client._make_api_call("PutItem", {"TableName": "outage", "Item": KEY})
        engine.stop()
        answer = client._make_api_call("GetItem", {"TableName": "outage", "Key": KEY})
        revived.stop()

        assert answer["Item"] == KEY
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1
