"""One call: request, response, and unexpected responses."""

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError, NoCredentialsError

from flask_pynamodb.curl import CurlClient
from flask_pynamodb.local import Engine
from tests.flask_pynamodb.curl.conftest import TRANSPORTS, Patient
from tests.support.scripted_server import ScriptedServer, answer, error

KEY = {"id": {"S": "1"}}


def get(client: Any, table: str = "a-table", **kwargs: Any) -> Any:
    return client._make_api_call("GetItem", {"TableName": table, "Key": KEY, **kwargs})


def refusal(client: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        get(client)
    return caught.value


def without_features(user_agent: str) -> str:
    """Leaves out the features that botocore counts, some of them in each call."""
    return re.sub(r" m/\S+", "", user_agent)


class TestRequest:
    def test_headers_are_botocores(self, server: ScriptedServer, make_curl: Any) -> None:
        """Those that DynamoDB looks at, all of them and no others."""
        server.play(answer(200, {}), answer(200, {}))
        client = make_curl(server.host, keys=("AKID", "secret", "token"))
        get(client)
        get(client._client)
        curl, botocore = (request.headers for request in server.requests)

        assert curl.keys() - botocore.keys() == set()
        assert botocore.keys() - curl.keys() == set()
        assert {name for name in curl if curl[name] == botocore[name]} >= {
            "accept-encoding",
            "amz-sdk-request",
            "content-type",
            "host",
            "x-amz-security-token",
            "x-amz-target",
        }

    def test_user_agent_names_the_transport(self, server: ScriptedServer, make_curl: Any) -> None:
        """The user agent identifies the transport in logs."""
        server.play(answer(200, {}))
        get(make_curl(server.host))
        agent = server.requests[0].headers["user-agent"]

        assert agent.startswith("Botocore/")
        assert agent.endswith(" md/transport#curl")

    @pytest.mark.parametrize(
        "variable", [("AWS_SDK_UA_APP_ID", "Roster 1 (staging)"), ("AWS_PROFILE", "app")]
    )
    def test_user_agent_has_the_app_id(
        self,
        server: ScriptedServer,
        make_curl: Any,
        monkeypatch: Any,
        tmp_path: Path,
        variable: tuple[str, str],
    ) -> None:
        """The app ID is written as botocore writes it, of the environment and of a profile."""
        (tmp_path / "config").write_text("[profile app]\nsdk_ua_app_id = Roster 1 (staging)\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv(*variable)
        server.play(answer(200, {}), answer(200, {}))
        client = make_curl(server.host)
        get(client)
        get(client._client)
        curl, botocore = (request.headers["user-agent"] for request in server.requests)

        assert botocore.endswith(" app/Roster-1--staging-")
        assert without_features(curl) == f"{without_features(botocore)} md/transport#curl"

    @pytest.mark.parametrize(
        ("trace_id", "sent"),
        [
            ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", None),
            ("Root=1;a[b]{c}=\"'&+,:", None),
            ("größe\r\nx: 1", "gr%C3%B6%C3%9Fe%0D%0Ax:%201"),
        ],
    )
    def test_trace_id_of_lambda(
        self,
        server: ScriptedServer,
        make_curl: Any,
        monkeypatch: Any,
        trace_id: str,
        sent: str | None,
    ) -> None:
        """In AWS Lambda each request has the current trace ID, unsigned as botocore's."""
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
        client = make_curl(server.host)
        monkeypatch.setenv("_X_AMZN_TRACE_ID", trace_id)
        server.play(answer(200, {}), answer(200, {}))
        get(client)
        get(client._client)
        curl, botocore = (request.headers for request in server.requests)

        assert curl["x-amzn-trace-id"] == botocore["x-amzn-trace-id"] == (sent or trace_id)
        assert "trace" not in curl["authorization"]
        assert curl.keys() == botocore.keys()

    @pytest.mark.parametrize(
        ("variables", "extra", "sent"),
        [
            ({"_X_AMZN_TRACE_ID": "Root=1"}, {}, None),
            ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, {}, None),
            (
                {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": "Root=1"},
                {"X-Amzn-Trace-Id": "Root=2"},
                "Root=2",
            ),
        ],
        ids=["elsewhere", "untraced", "own-header"],
    )
    def test_no_trace_id(
        self,
        server: ScriptedServer,
        make_curl: Any,
        monkeypatch: Any,
        variables: dict[str, str],
        extra: dict[str, str],
        sent: str | None,
    ) -> None:
        """Outside of AWS Lambda there is none, and a header of the app's own takes precedence."""
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        server.play(answer(200, {}))
        get(make_curl(server.host, curl={"extra_headers": extra}))

        assert server.requests[0].headers.get("x-amzn-trace-id") == sent

    def test_extra_headers_are_sent_unsigned(self, server: ScriptedServer, make_curl: Any) -> None:
        """They may replace the user agent, and may be empty."""
        extra = {"X-Tenant": "größe", "User-Agent": "roster", "X-Empty": "", "Accept": "it/all"}
        server.play(answer(200, {}))
        get(make_curl(server.host, curl={"extra_headers": extra}))
        headers = server.requests[0].headers

        assert headers["x-tenant"].encode("latin-1").decode() == "größe"
        assert headers["user-agent"] == "roster"
        assert headers["x-empty"] == ""
        assert headers["accept"] == "it/all"
        assert "x-tenant" not in headers["authorization"]

    @pytest.mark.parametrize(
        "extra",
        [
            {"Host": "elsewhere"},
            {"AUTHORIZATION": "mine"},
            {"X-Amz-Date": "yesterday"},
            {"X-A": "1\r\nX-B: 2"},
            {"X-A\n": "1"},
            {"X A": "1"},
            {"": "1"},
        ],
        ids=str,
    )
    def test_extra_headers_that_break_requests_are_refused(
        self, extra: dict[str, str], make_curl: Any
    ) -> None:
        """When the client is made, and not at each request."""
        with pytest.raises(ValueError, match="extra header"):
            make_curl("http://127.0.0.1:1", curl={"extra_headers": extra})

    @pytest.mark.parametrize("transport", TRANSPORTS)
    @pytest.mark.parametrize(
        ("suffix", "target"),
        [
            ("", "/"),
            ("/", "/"),
            ("/db/v1", "/db/v1"),
            ("/a/../b//c/", "/a/../b//c/"),
            ("/?x=1", "/?x=1"),
        ],
    )
    def test_paths_of_the_endpoint_are_kept(
        self,
        suffix: str,
        target: str,
        transport: str,
        server: ScriptedServer,
        make_patient: Callable[..., Patient],
    ) -> None:
        """An endpoint behind a gateway has a path, which is sent as it is."""
        server.play(answer(200, {}))
        get(make_patient(transport, server.host + suffix).client)

        assert server.requests[0].line == f"POST {target} HTTP/1.1"

    @pytest.mark.parametrize(
        ("endpoint", "host"),
        [
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
            ("http://DB.example:80", "db.example"),
            ("https://db.example:443/v1", "db.example"),
            ("https://db.example:8443", "db.example:8443"),
            (None, "dynamodb.eu-west-1.amazonaws.com"),
        ],
    )
    def test_host_is_written_as_it_is_signed(
        self, endpoint: str | None, host: str, make_curl: Any
    ) -> None:
        """In lower case, without a port that goes without saying."""
        assert make_curl(endpoint).endpoint.host == host

    def test_credentials_in_the_endpoint_are_not_sent(
        self, server: ScriptedServer, make_curl: Any
    ) -> None:
        """The Authorization header is the signature's."""
        server.play(answer(200, {}))
        get(make_curl(f"http://user:password@{server.netloc}"))

        assert server.requests[0].headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
        assert server.requests[0].headers["host"] == server.netloc

    def test_all_tries_of_a_call_have_one_id(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """And each try says its number."""
        server.play(error(500, "InternalServerError"), answer(200, {}), answer(200, {}))
        client = make_patient("curl", server.host).client
        get(client)
        get(client)
        ids = [request.headers["amz-sdk-invocation-id"] for request in server.requests]
        tries = [request.headers["amz-sdk-request"][-17:] for request in server.requests]

        assert ids[0] == ids[1] != ids[2]
        assert [len(part) for part in ids[0].split("-")] == [8, 4, 4, 4, 12]
        assert tries == ["attempt=1; max=4", "attempt=2; max=4", "attempt=1; max=4"]


class TestToken:
    WRITE = {"Put": {"TableName": "a-table", "Item": KEY}}

    def test_makes_a_transaction_safe_to_repeat(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """One that has none is given one, the same at each try and new for each call."""
        server.play(error(500, "InternalServerError"), answer(200, {}), answer(200, {}))
        patient = make_patient("curl", server.host)
        kwargs = {"TransactItems": [self.WRITE]}
        patient.call("TransactWriteItems", **kwargs)
        patient.call("TransactWriteItems", **kwargs)
        tokens = [request.json["ClientRequestToken"] for request in server.requests]

        assert tokens[0] == tokens[1] != tokens[2]
        assert "ClientRequestToken" not in kwargs

    def test_of_the_callers_own_stays(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """Who repeats a transaction by himself has chosen it."""
        server.play(answer(200, {}))
        make_patient("curl", server.host).call(
            "TransactWriteItems", TransactItems=[self.WRITE], ClientRequestToken="mine"
        )

        assert server.requests[0].json["ClientRequestToken"] == "mine"


class TestAnswer:
    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_metadata(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """What logs and signals read is there, after retries too."""
        server.play(
            error(500, "InternalServerError"), answer(200, {}, X_Amzn_RequestId="R1", Server="S")
        )
        metadata = get(make_patient(transport, server.host).client)["ResponseMetadata"]
        metadata["HTTPHeaders"].pop("content-type")

        assert metadata == {
            "RequestId": "R1",
            "HTTPStatusCode": 200,
            "HTTPHeaders": {"content-length": "2", "x-amzn-requestid": "R1", "server": "S"},
            "RetryAttempts": 1,
        }

    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_of_the_last_try_says_so(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """A call that may be sent once has reached its limit with its first try."""
        server.play(answer(200, {}))
        once = {"total_max_attempts": 1, "mode": "standard"}
        metadata = get(make_patient(transport, server.host, retries=once).client)[
            "ResponseMetadata"
        ]

        assert metadata["MaxAttemptsReached"] is True
        assert "RequestId" not in metadata

    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_unprocessed_keys_are_passed_on(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """To ask for them again is the caller's business; binary keys are bytes."""
        left = {"a-table": {"Keys": [{"id": {"B": "AAE="}}], "ConsistentRead": True}}
        server.play(answer(200, {"Responses": {"a-table": []}, "UnprocessedKeys": left}))
        patient = make_patient(transport, server.host)
        got = patient.call("BatchGetItem", RequestItems={"a-table": {"Keys": [KEY]}})

        assert got["UnprocessedKeys"] == {
            "a-table": {"Keys": [{"id": {"B": b"\x00\x01"}}], "ConsistentRead": True}
        }
        assert patient.waits == []

    def test_members_that_are_news_are_kept(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """DynamoDB may learn to answer more than it does today."""
        server.play(answer(200, {"Item": KEY, "Novelty": 1}))

        assert get(make_patient("curl", server.host).client)["Novelty"] == 1


class TestRefusal:
    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_response(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """Code, message, the item that was in the way, and the metadata."""
        body = {
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "Message": "No.",
            "Item": {"id": {"S": "1"}, "blob": {"B": "AA=="}},
        }
        server.play(answer(400, body, x_amzn_RequestId="R2"))
        patient = make_patient(transport, server.host)
        with pytest.raises(ClientError) as caught:
            patient.call("PutItem", TableName="a-table", Item=KEY)
        response = caught.value.response

        assert response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "No."}
        assert response["Item"] == {"id": {"S": "1"}, "blob": {"B": b"\x00"}}
        assert response["ResponseMetadata"]["RequestId"] == "R2"
        assert response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == "R2"
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert response["ResponseMetadata"]["RetryAttempts"] == 0

    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_reads_as_botocores(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """The text tells operation, code, message and the number of retries."""
        server.play(*[error(500, "InternalServerError")] * 4)
        client = make_patient(transport, server.host).client

        assert str(refusal(client)) == (
            "An error occurred (InternalServerError) when calling the GetItem operation"
            " (reached max retries: 3): InternalServerError, as scripted"
        )

    @pytest.mark.parametrize("transport", TRANSPORTS)
    def test_is_of_the_clients_own_class(
        self, transport: str, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """`except client.exceptions.ResourceNotFoundException` works."""
        server.play(error(400, "ResourceNotFoundException"))
        client = make_patient(transport, server.host).client

        assert type(refusal(client)) is client.exceptions.ResourceNotFoundException

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            ({"__type": "Busy"}, {}),
            ({"__type": "aws.db#Busy"}, {}),
            ({"__type": "aws.db#Busy:http://aws.example/db/"}, {}),
            ({"code": "aws.db#Busy"}, {}),
            ({"__type": 7, "code": "Busy"}, {}),
            ({}, {"x_amzn_errortype": "Busy"}),
            (b"", {"x_amzn_errortype": "aws.db#Busy:http://aws.example/db/"}),
        ],
    )
    def test_code_is_found_in_each_spelling(
        self, body: Any, headers: dict[str, str], server: ScriptedServer, make_curl: Any
    ) -> None:
        """In the body or a header, with a namespace, with a URI."""
        server.play(answer(400, body, **headers))

        assert refusal(make_curl(server.host)).response["Error"]["Code"] == "Busy"

    @pytest.mark.parametrize(
        ("status", "body", "message"),
        [
            (400, b'{"message":"lower"}', "lower"),
            (400, b'{"Message":"upper"}', "upper"),
            (400, b'{"message":null}', ""),
            (400, b"[1]", "[1]"),
            (403, b"<b>Forbidden</b>", "<b>Forbidden</b>"),
            (501, b"<html>Oh</html>", "Not Implemented"),
            (599, b"", ""),
        ],
    )
    def test_message_is_what_there_is(
        self, status: int, body: bytes, message: str, server: ScriptedServer, make_curl: Any
    ) -> None:
        """DynamoDB's words, or a balancer's."""
        server.play(answer(status, body))

        assert refusal(make_curl(server.host)).response["Error"]["Message"] == message

    def test_cancellation_reasons_are_kept_in_order(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """One for each write, with bytes as bytes."""
        reasons = [
            {"Code": "None"},
            {"Code": "ConditionalCheckFailed", "Item": {"b": {"B": "AA=="}}},
        ]
        kind = "TransactionCanceledException"
        server.play(answer(400, {"__type": kind, "CancellationReasons": reasons}))
        with pytest.raises(ClientError) as caught:
            make_patient("curl", server.host).call("TransactWriteItems", TransactItems=[])

        assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == [
            "None",
            "ConditionalCheckFailed",
        ]
        assert caught.value.response["CancellationReasons"][1]["Item"] == {"b": {"B": b"\x00"}}


class TestEverythingElse:
    def test_other_operations_are_botocores(
        self, dynamodb_engine: Engine, table: str, make_curl: Any
    ) -> None:
        """Tables are made and described as ever."""
        client = make_curl(dynamodb_engine.host)
        described = client._make_api_call("DescribeTable", {"TableName": table})

        assert described["Table"]["TableName"] == table

    def test_other_attributes_are_botocores(self, make_curl: Any) -> None:
        """PynamoDB asks a client for its endpoint and its signer."""
        client = make_curl("http://127.0.0.1:1")

        assert client.meta.endpoint_url == "http://127.0.0.1:1"
        assert client._request_signer is client._client._request_signer
        assert repr(client) == "<CurlClient for http://127.0.0.1:1/>"

    def test_a_copy_does_not_look_for_itself(self) -> None:
        """Before it has a client, an attribute is missing and not sought for ever."""
        unmade = copy.copy(CurlClient.__new__(CurlClient))

        assert not hasattr(unmade, "meta")


class TestSettings:
    def test_tries_are_four_unless_botocore_knows_better(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """Without a setting, both send as often."""
        server.play(*[error(500, "InternalServerError")] * 4)
        refusal(make_patient("curl", server.host, retries={"mode": "standard"}).client)

        assert len(server.requests) == 4

    @pytest.mark.parametrize(
        ("config", "name"),
        [
            ({"retries": {"mode": "adaptive"}}, "retry mode"),
            (
                {"proxies_config": {"proxy_use_forwarding_for_https": True}},
                "proxy_use_forwarding_for_https",
            ),
        ],
    )
    def test_what_only_botocore_can_do_is_refused(
        self, config: Any, name: str, make_curl: Any
    ) -> None:
        """At the start, with the name of the setting."""
        with pytest.raises(ValueError, match=name):
            make_curl(None, **config)

    def test_deadline_ends_a_call(
        self, server: ScriptedServer, make_patient: Callable[..., Patient]
    ) -> None:
        """A web request that has a second does not wait two for the next try."""
        server.play(error(400, "ThrottlingException"))
        refused = refusal(make_patient("curl", server.host, curl={"deadline_seconds": 0.9}).client)

        assert refused.response["ResponseMetadata"]["DeadlineReached"] is True
        assert len(server.requests) == 1


class TestCredentials:
    def test_none_is_said_at_once(
        self, server: ScriptedServer, make_curl: Any, monkeypatch: Any
    ) -> None:
        """Nothing is sent without them."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        with pytest.raises(NoCredentialsError):
            get(make_curl(server.host, keys=None))

        assert server.requests == []

    def test_that_expire_in_mid_run_are_renewed(
        self, server: ScriptedServer, make_curl: Any
    ) -> None:
        """Requests after the renewal are signed with the new key and carry the new token."""
        clock = [datetime(2026, 11, 20, tzinfo=UTC)]
        keys = iter("BC")

        def renew() -> dict[str, str]:
            name = next(keys)
            expiry = (clock[0] + timedelta(hours=1)).isoformat()
            return {
                "access_key": name,
                "secret_key": f"{name}-secret",
                "token": f"{name}-token",
                "expiry_time": expiry,
            }

        client = make_curl(server.host)
        client._request_signer._credentials = RefreshableCredentials(
            "A",
            "A-secret",
            "A-token",
            clock[0] + timedelta(hours=1),
            renew,
            "test",
            time_fetcher=lambda: clock[0],
        )
        server.play(*[answer(200, {})] * 3)
        get(client)
        clock[0] += timedelta(minutes=59)
        get(client)
        clock[0] += timedelta(minutes=59)
        get(client)
        authorizations = [request.headers["authorization"] for request in server.requests]
        tokens = [request.headers["x-amz-security-token"] for request in server.requests]

        assert tokens == ["A-token", "B-token", "C-token"]
        assert [line.split("/")[0][-1] for line in authorizations] == ["A", "B", "C"]
        assert len({line.rpartition("=")[2] for line in authorizations}) == 3
