"""Which errors mean that waiting would help."""

import pytest
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
from pynamodb.exceptions import GetError, PutError

from flask_pynamodb import is_unavailable


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
