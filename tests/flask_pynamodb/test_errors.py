"""Which errors mean that waiting would help."""

import botocore.session
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    ClientError,
    ConfigParseError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InfiniteLoopConfigError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    UnauthorizedSSOTokenError,
)
from botocore.retries import standard
from pynamodb.connection import Connection
from pynamodb.exceptions import GetError, PutError

from flask_pynamodb import ConfigurationError, is_unavailable
from flask_pynamodb.connection import AppConnection
from flask_pynamodb.curl.operations import NAMES, read_operations
from flask_pynamodb.curl.retries import retry_kind_of
from flask_pynamodb.errors import THROTTLED_CODES, TRANSIENT_CODES


def client_error(code, status=400):
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetItem")


class TestIsUnavailable:
    @pytest.mark.parametrize(
        "cause",
        [
            EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
            ConnectTimeoutError(endpoint_url="http://127.0.0.1:9"),
            ReadTimeoutError(endpoint_url="http://127.0.0.1:9"),
            NoCredentialsError(),
            client_error("ProvisionedThroughputExceededException"),
            client_error("ThrottlingException"),
            client_error("ResourceNotFoundException"),
            client_error("UnrecognizedClientException"),
            client_error("AccessDeniedException"),
            client_error("LimitExceededException"),
            client_error("ReplicatedWriteConflictException"),
            client_error("RequestTimeTooSkewed"),
            client_error("RequestTimeout"),
            client_error("TooManyRequestsException"),
            client_error("Whatever", 408),
            client_error("Whatever", 429),
            ConfigParseError(path="~/.aws/config"),
            InfiniteLoopConfigError(source_profile="a", visited_profiles=[]),
            MetadataRetrievalError(error_msg="none"),
            ProfileNotFound(profile="unknown"),
            SSOTokenLoadError(error_msg="none"),
            UnauthorizedSSOTokenError(),
            client_error("Whatever", 500),
            client_error("Whatever", 503),
        ],
        ids=lambda error: str(error)[:60],
    )
    def test_out_of_reach(self, cause):
        """Network, throttling, credentials, a missing table, DynamoDB's own faults."""
        assert is_unavailable(cause)
        assert is_unavailable(GetError("Failed", cause))

    @pytest.mark.parametrize(
        "error",
        [
            ValueError("a bug"),
            PutError("Failed", client_error("ValidationException")),
            PutError("Failed", client_error("ConditionalCheckFailedException")),
            PutError("Failed", client_error("ItemCollectionSizeLimitExceededException")),
            PutError("Failed"),
            ParamValidationError(report="no table"),
        ],
    )
    def test_mistake(self, error):
        """A mistake in the request stays one however long one waits."""
        assert not is_unavailable(error)

    def test_chained(self):
        """The cause is found behind an exception raised from it."""
        try:
            try:
                raise client_error("ThrottlingException")
            except ClientError as cause:
                raise RuntimeError("wrapped") from cause
        except RuntimeError as error:
            wrapped = error

        assert is_unavailable(wrapped)


@pytest.fixture(scope="module")
def operations():
    """The operations that are sent by curl, with the errors of botocore's model."""
    model = botocore.session.get_session().get_service_model("dynamodb")
    return read_operations(model)


class TestRetriedErrors:
    @pytest.mark.parametrize("status", [400, 408, 429, 500, 501, 502, 503, 504])
    @pytest.mark.parametrize("name", NAMES)
    def test_are_unavailable(self, operations, name, status):
        """An error that is worth another attempt means that DynamoDB is unavailable."""
        operation = operations[name]
        codes = {*THROTTLED_CODES, *TRANSIENT_CODES, *operation.errors, "Unknown"}
        retried = {code for code in codes if retry_kind_of(status, code, operation)}

        assert retried
        assert {code for code in retried if not is_unavailable(client_error(code, status))} == set()

    def test_are_those_of_botocore(self):
        """The codes are botocore's."""
        checked = (standard.ThrottledRetryableChecker, standard.TransientRetryableChecker)

        assert set(checked[0]._THROTTLED_ERROR_CODES) == THROTTLED_CODES
        assert set(checked[1]._TRANSIENT_ERROR_CODES) - THROTTLED_CODES == TRANSIENT_CODES


class TestCredentials:
    @pytest.mark.parametrize("transport", ["botocore", "curl"])
    def test_still_expired(self, transport):
        """Credentials that are expired after they were renewed are a configuration error."""

        def renew():
            return {
                "access_key": "AKID",
                "secret_key": "secret",
                "token": "token",
                "expiry_time": "2020-01-01T00:00:00Z",
            }

        session = botocore.session.get_session()
        session._credentials = RefreshableCredentials.create_from_metadata(renew(), renew, "test")
        connection = AppConnection(region="eu-west-1", session=session, transport=transport)

        with pytest.raises(ConfigurationError, match="cannot be renewed") as failed:
            connection.dispatch("GetItem", {"TableName": "t", "Key": {"id": {"S": "1"}}})

        assert is_unavailable(failed.value)

    @pytest.mark.parametrize("transport", ["botocore", "curl"])
    def test_unreadable_token_file(self, transport, monkeypatch, tmp_path):
        """A token file that is away is a configuration error."""
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/app")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "away"))
        connection = AppConnection(region="eu-west-1", transport=transport)

        with pytest.raises(ConfigurationError, match="credentials cannot be read") as failed:
            connection.dispatch("GetItem", {"TableName": "t", "Key": {"id": {"S": "1"}}})

        assert is_unavailable(failed.value)

    def test_client_that_cannot_be_made(self, monkeypatch):
        """A file that cannot be read while the client is made is one, too."""

        def fail(self):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(botocore.session.Session, "get_credentials", fail)

        with pytest.raises(ConfigurationError, match="Permission denied"):
            AppConnection(region="eu-west-1").dispatch("GetItem", {"TableName": "t"})

    def test_another_error(self, monkeypatch):
        """Another RuntimeError is not taken for one of credentials."""

        def fail(self, operation_name, operation_kwargs):
            raise RuntimeError("cannot schedule new futures after shutdown")

        monkeypatch.setattr(Connection, "_make_api_call", fail)

        with pytest.raises(RuntimeError, match="new futures"):
            AppConnection(region="eu-west-1").dispatch("GetItem", {"TableName": "t"})


class TestTimeouts:
    @pytest.mark.parametrize("transport", ["botocore", "curl"])
    def test_are_no_errors_of_credentials(self, transport, silent_port):
        """A timeout stays a timeout, although botocore's is an OSError."""
        connection = AppConnection(
            region="eu-west-1",
            host=f"http://127.0.0.1:{silent_port}",
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            connect_timeout_seconds=0.1,
            max_retry_attempts=0,
            transport=transport,
        )

        with pytest.raises(ConnectTimeoutError) as failed:
            connection.dispatch("GetItem", {"TableName": "t", "Key": {"id": {"S": "1"}}})

        assert is_unavailable(failed.value)

    def test_missing_profile(self, monkeypatch):
        """An error of botocore while the client is made stays what it is."""
        monkeypatch.setenv("AWS_PROFILE", "missing")

        with pytest.raises(ProfileNotFound):
            AppConnection(region="eu-west-1").dispatch("GetItem", {"TableName": "t"})
