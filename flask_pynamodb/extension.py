"""PynamoDB: the extension object. One per project, any number of apps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError
from flask import Flask
from pynamodb.connection.base import Connection

from flask_pynamodb import batch, signals, tables
from flask_pynamodb.cli import dynamodb
from flask_pynamodb.model import Model, make_base, scan_is_allowed
from flask_pynamodb.settings import DEFAULTS
from flask_pynamodb.state import AppState, Standalone, current_state
from flask_pynamodb.table_spec import Difference
from flask_pynamodb.transaction import Transaction


class PynamoDB:
    """Binds PynamoDB models to Flask apps.

    Settings, all from `app.config`, all with `setdefault`:

    ==================================== =====================================================
    `DYNAMODB_REGION`                    None: as botocore finds it
    `DYNAMODB_HOST`                      None: AWS; else an endpoint URL
    `DYNAMODB_CONNECT_TIMEOUT_SECONDS`   15
    `DYNAMODB_READ_TIMEOUT_SECONDS`      30
    `DYNAMODB_BASE_BACKOFF_MS`           25, first wait after a conflict; doubles, with jitter
    `DYNAMODB_MAX_RETRY_ATTEMPTS`        3, on top of the first try
    `DYNAMODB_MAX_POOL_CONNECTIONS`      10 kept-alive connections
    `DYNAMODB_EXTRA_HEADERS`             None: a mapping sent with each request
    `DYNAMODB_AWS_ACCESS_KEY_ID`         None: botocore's credential chain
    `DYNAMODB_AWS_SECRET_ACCESS_KEY`     None
    `DYNAMODB_AWS_SESSION_TOKEN`         None
    `DYNAMODB_SESSION`                   None: a botocore session to use instead of a new one
    `DYNAMODB_READ_CAPACITY_UNITS`       None: tables on demand; a number: provisioned
    `DYNAMODB_WRITE_CAPACITY_UNITS`      None
    `DYNAMODB_BILLING_MODE`              None: follows the capacity units
    `DYNAMODB_TABLE_PREFIX`              "": put before every table name
    `DYNAMODB_TABLE_SUFFIX`              "": put after every table name
    `DYNAMODB_TABLE_NAMER`               None: a callable that makes the whole name
    `DYNAMODB_TRANSPORT`                 "lean", or "botocore"
    `DYNAMODB_DEADLINE_SECONDS`          None: what one call may take with all its tries
    `DYNAMODB_BINDS`                     None: settings of further databases by bind key
    `DYNAMODB_ALLOW_SCAN`                None: a Scan is warned of; False: refused; True: fine
    `DYNAMODB_DEBUG`                     False: no `Server-Timing` header
    ==================================== =====================================================

    A value in a model's own `Meta` wins over the app's.

    Example:
        >>> db = PynamoDB()
        >>> class Todo(db.Model):
        ...     id = UnicodeAttribute(hash_key=True)
        >>> db.init_app(app)

    Attributes:
        Model: The base class of this extension's models.
        models: Every model that was derived from it.
    """

    # For annotations, and for models of code that knows no extension object.
    Model: Any = Model

    def __init__(self, app: Flask | None = None) -> None:
        self.models: list[Any] = []
        self.Model = make_base(self)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with an app; no connection is made yet.

        Raises:
            RuntimeError: The app has a PynamoDB extension already.
            TypeError: This is no Flask app.
            ConfigurationError: Settings are wrong or contradict each other.
        """
        if not isinstance(app, Flask):
            raise TypeError(f"init_app takes a Flask app, not {type(app).__name__}.")
        if "pynamodb" in app.extensions:
            raise RuntimeError(
                "This app already has a PynamoDB extension. Import and use that one,"
                " or give the other one its own app."
            )
        for key, default in DEFAULTS.items():
            app.config.setdefault(key, default)
        app.extensions["pynamodb"] = AppState(self, app.config)
        if app.config["DYNAMODB_DEBUG"]:
            signals.show_totals(app)
        app.cli.add_command(dynamodb)

    def standalone(self, settings: Mapping[str, Any]) -> Standalone:
        """Make a database for code that runs without a Flask app; no connection is made yet.

        Example:
            >>> database = db.standalone({"DYNAMODB_REGION": "eu-central-1"})
            >>> with database.context():
            ...     Todo.get("1")

        Args:
            settings: The keys of `app.config`; missing ones have their defaults.

        Raises:
            ConfigurationError: Settings are wrong or contradict each other.
        """
        return Standalone(AppState(self, {**DEFAULTS, **settings}))

    @property
    def connection(self) -> Connection:
        """The low-level connection to the current app's main database."""
        return current_state().connection()

    def transaction(self, bind_key: str | None = None) -> Transaction:
        """Start a transaction: writes inside its `with` block all happen or none.

        Args:
            bind_key: The database, where it is not the main one; a transaction cannot span two.
        """
        state = current_state()
        backoff = state.bind(bind_key).values["BASE_BACKOFF_MS"]
        return Transaction(state.connection(bind_key), base_backoff_ms=backoff)

    def get_many(self, *keys: tuple[Any, ...], consistent_read: bool = True) -> list[Any]:
        """Read items of several tables of one database in one round trip.

        Args:
            keys: `(Model, hash_key)` or `(Model, hash_key, range_key)`; 100 at the most, each
                once.
            consistent_read: Whether every acknowledged write must be seen.

        Returns:
            The items in the order of the keys, None for each that is absent.

        Raises:
            GetError: DynamoDB or a table is out of reach, or leaves keys unprocessed for long.
        """
        return batch.get_many(keys, consistent_read=consistent_read)

    def ping(self) -> None:
        """Read one absent key of every table, in one round trip for each database.

        Raises:
            GetError: DynamoDB or a table is out of reach.
        """
        batch.ping(self.models)

    def missing_access(self) -> list[str]:
        """What the current app lacks to reach DynamoDB at all, a line each; asks no table."""
        connection = current_state().connection()
        missing = []
        try:
            if not connection.region and not connection.session.get_config_variable("region"):
                missing.append("no region: set DYNAMODB_REGION, AWS_REGION or one in ~/.aws/config")
            if connection.session.get_credentials() is None:
                missing.append(
                    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile,"
                    " or a role (DynamoDB Local takes any values)"
                )
        except BotoCoreError as error:
            # For example a profile that does not exist.
            missing.append(f"no credentials: {error}")
        return missing

    def create_all(self) -> list[str]:
        """Make the missing tables, and add what existing ones lack.

        Indexes, time to live, streams, recovery and tags are added; billing mode and keys are
        left as they are, since changing them takes a decision. Safe to repeat and to run from
        two hosts at once.

        Returns:
            What was done, a line each.
        """
        return tables.create(self.models)

    def check_all(self) -> list[Difference]:
        """How the tables differ from the models, a line each; an empty list means not at all.

        Each line is a string whose `blocks` says whether the app cannot work that way.
        """
        return tables.check(self.models)

    def drop_all(self) -> list[str]:
        """Delete all tables of the models; returns the names of those that were there."""
        return tables.drop(self.models)

    @contextmanager
    def allow_scan(self) -> Iterator[None]:
        """Say that reading whole tables is meant, inside the `with` block."""
        before = scan_is_allowed.set(True)
        try:
            yield
        finally:
            scan_is_allowed.reset(before)
