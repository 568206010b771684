"""One database's connection, and one model's table on it."""

import logging
import threading
import time
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointProviderError,
    InvalidConfigError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.loaders import create_loader
from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable
from pynamodb.constants import (
    CREATE_TABLE,
    DELETE_TABLE,
    DESCRIBE_TABLE,
    LIST_TABLES,
    UPDATE_TABLE,
    UPDATE_TIME_TO_LIVE,
)
from pynamodb.signals import post_dynamodb_send, pre_dynamodb_send

from flask_pynamodb import signals
from flask_pynamodb.errors import (
    ConfigurationError,
    expired_credentials,
    reject_incomplete_keys,
    unreadable_credentials,
)
from flask_pynamodb.shared_tables import merge_meta_tables
from flask_pynamodb.transport import DEFAULT_TRANSPORT, client_for

_ANY_REGION = "us-east-1"
# Loading DynamoDB's service model takes 0.1 s: once for all sessions of a process and its forks.
_loader_of = cache(create_loader)
_pynamodb_log = logging.getLogger("pynamodb.connection.base")
# Without blinker, PynamoDB has signals without receivers; Flask needs blinker.
_before_send: Any = pre_dynamodb_send
_after_send: Any = post_dynamodb_send
# Operations on tables, for which PynamoDB requests no consumed capacity.
_TABLE_OPERATIONS = frozenset(
    (CREATE_TABLE, DELETE_TABLE, DESCRIBE_TABLE, LIST_TABLES, UPDATE_TABLE, UPDATE_TIME_TO_LIVE)
)


class AppConnection(Connection):
    """A connection with one pool, shared by all tables of one database.

    PynamoDB creates a separate client for each model, and without a lock.

    Args:
        session: A botocore session with credentials and region; None for botocore's own chain.
        transport: One of `TRANSPORTS`.
        deadline_seconds: The deadline of one call with all its attempts; None for no limit.
        is_traced: Whether calls by curl have OpenTelemetry spans.
        max_recorded_calls: How many calls of an app context are recorded at most.
        settings: The arguments of PynamoDB's connection.
    """

    def __init__(
        self,
        *,
        session: Any = None,
        transport: str = DEFAULT_TRANSPORT,
        deadline_seconds: float | None = None,
        is_traced: bool = False,
        max_recorded_calls: int = 0,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.max_recorded_calls = max_recorded_calls
        self._is_traced = is_traced
        self._transport = transport
        self._deadline_seconds = deadline_seconds
        self._sender: Any = None
        self._sends_for: Any = None
        self._given_session = session
        self._client_lock = threading.Lock()

    @property
    def session(self) -> Any:
        """The given botocore session, or one with botocore's own chain."""
        if self._given_session:
            return self._given_session
        session = super().session
        loader = _loader_of(session.get_config_variable("data_path"))
        session.register_component("data_loader", loader)
        if _is_loopback(self.host):
            # Another host, such as a proxy of HTTP_PROXY, does not reach the loopback of this one.
            session.set_default_client_config(Config(proxies={}))
        return session

    @property
    def client(self) -> Any:
        """The client that sends requests, created once for all threads.

        Raises:
            ConfigurationError: There is no region, or the access key is incomplete.
        """
        with self._client_lock:
            if self._client is None:
                reject_incomplete_keys(
                    self._aws_access_key_id, self._aws_secret_access_key, self._aws_session_token
                )
            client = self._botocore_client()
            # PynamoDB creates another botocore client as long as there are no credentials.
            if client is not self._sends_for:
                self._sender = client_for(
                    self._transport,
                    client,
                    extra_headers=self._extra_headers,
                    deadline_seconds=self._deadline_seconds,
                    is_traced=self._is_traced,
                )
                self._sends_for = client
            return self._sender

    def register_table(self, meta_table: MetaTable) -> None:
        """Store the keys and indexes of a table, beside those that other models declare.

        Raises:
            ConfigurationError: The declarations contradict each other.
        """
        with self._client_lock:
            known = self._tables.get(meta_table.table_name)
            merged = merge_meta_tables(known, meta_table) if known else meta_table
            self._tables[meta_table.table_name] = merged

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        """Send one request, emit the signals and add to the totals of the app context."""
        signals.emit_started(self, operation_name, operation_kwargs)
        started = time.perf_counter()
        outcome: dict[str, Any] = {"consumed_capacity": None, "error": None}
        metadata: Mapping[str, Any] = {}
        try:
            answer = self._send(operation_name, operation_kwargs)
            # A mock of `_make_api_call` may return None.
            metadata = (answer or {}).get("ResponseMetadata", {})
            outcome["consumed_capacity"] = signals.capacity_of(answer or {})
            return answer
        except (BotoCoreError, ClientError, ConfigurationError) as error:
            outcome["error"] = error
            metadata = _metadata_of(error)
            raise
        finally:
            outcome["duration"] = time.perf_counter() - started
            outcome["tries"] = int(metadata.get("RetryAttempts", 0)) + 1
            outcome["request_id"] = metadata.get("RequestId") or None
            signals.emit_finished(self, operation_name, operation_kwargs, outcome)

    def _send(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        # PynamoDB's own dispatch creates a UUID, two signals and two log records, even without
        # receivers: a twentieth of a call over the curl transport.
        if (
            operation_name in _TABLE_OPERATIONS
            or _before_send.receivers
            or _after_send.receivers
            or _pynamodb_log.isEnabledFor(logging.DEBUG)
        ):
            answer: dict[str, Any] = super().dispatch(operation_name, operation_kwargs)
            return answer
        operation_kwargs.setdefault("ReturnConsumedCapacity", "TOTAL")
        answer = self._make_api_call(operation_name, operation_kwargs)
        return answer

    def _make_api_call(self, operation_name: str, operation_kwargs: dict[str, Any]) -> Any:
        try:
            return super()._make_api_call(operation_name, operation_kwargs)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise ConfigurationError(
                "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,"
                " a profile or a role, or DYNAMODB_AWS_ACCESS_KEY_ID and"
                " DYNAMODB_AWS_SECRET_ACCESS_KEY."
            ) from error
        except EndpointProviderError as error:
            raise ConfigurationError(f"There is no endpoint of DynamoDB: {error}") from error
        except BotoCoreError:
            # Among them are timeouts, which are of the class OSError, too.
            raise
        except OSError as error:
            # What remains is the file of a token, or the program of credential_process.
            raise unreadable_credentials(error) from error
        except RuntimeError as error:
            # botocore has no class for this error.
            if type(error) is not RuntimeError or "expired" not in str(error):
                raise
            raise expired_credentials(error) from error

    def _botocore_client(self) -> Any:
        try:
            return super().client
        except NoRegionError as error:
            if self.host:
                # A custom endpoint needs a region for the signature only.
                self.region = _ANY_REGION
                return super().client
            raise ConfigurationError(
                "There is no AWS region: set DYNAMODB_REGION, or AWS_DEFAULT_REGION."
            ) from error
        except (InvalidConfigError, ValueError) as error:
            raise ConfigurationError(f"There is no client for DynamoDB: {error}") from error
        except BotoCoreError:
            raise
        except OSError as error:
            raise unreadable_credentials(error) from error


class AppTable(TableConnection):
    """One table on a shared connection."""

    def __init__(self, connection: AppConnection, meta_table: MetaTable) -> None:
        # PynamoDB's constructor, which is not called, would open a separate connection.
        self.table_name = meta_table.table_name
        self.connection = connection
        connection.register_table(meta_table)


def _is_loopback(url: str | None) -> bool:
    host = urlsplit(url or "").hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _metadata_of(error: BaseException) -> Mapping[str, Any]:
    """Return what is known of a failed call; without a response only by the curl client."""
    # PynamoDB raises an error of its own, without the metadata, from the client's.
    response = getattr(error.__cause__ or error, "response", None) or {}
    metadata: Mapping[str, Any] = response.get("ResponseMetadata") or getattr(error, "kwargs", {})
    return metadata
