"""PynamoDB: the extension object, one per project for any number of apps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

from botocore.exceptions import BotoCoreError
from flask import Flask
from pynamodb.connection.base import Connection
from pynamodb.expressions.condition import Condition

from flask_pynamodb import batch, concurrency, deadline, signals, tables, transaction_reads
from flask_pynamodb.lazy_commands import LazyCommands
from flask_pynamodb.migrations.declaration import Declaration
from flask_pynamodb.migrations.options import Options
from flask_pynamodb.migrations.status import MigrationStatus
from flask_pynamodb.model import Model as _BaseModel
from flask_pynamodb.model import bind_base, make_base, scan_is_allowed
from flask_pynamodb.state import ALL_BINDS, AppState, Standalone, current_state
from flask_pynamodb.table_spec import Drift
from flask_pynamodb.transaction import Transaction

if TYPE_CHECKING:
    from flask_pynamodb.migrations.registry import Migrations

Result = TypeVar("Result")
_R1 = TypeVar("_R1")
_R2 = TypeVar("_R2")
_R3 = TypeVar("_R3")
_A = TypeVar("_A", bound=_BaseModel)
_B = TypeVar("_B", bound=_BaseModel)
_C = TypeVar("_C", bound=_BaseModel)
# A model, its hash key, and its range key if it has one.
_Key = tuple[type[_A], *tuple[Any, ...]]


class PynamoDB:
    """Binds PynamoDB models to Flask apps.

    The settings are read from `app.config`; `flask_pynamodb.settings.SETTINGS` declares each with
    its type, bounds, default and meaning. A value in a model's own `Meta` takes precedence.

    Example:
        >>> db = PynamoDB()
        >>> class Todo(db.Model):
        ...     id = UnicodeAttribute(hash_key=True)
        >>> db.init_app(app)

    Args:
        app: The app, if there is one already; `init_app` adds others. Outside of any app context,
            as at import time and in scripts, the models use this one.
        model_class: A class of your own, derived from `flask_pynamodb.Model`, as the base class of
            the models, which may be derived from it directly. Type checkers resolve it without
            a plug-in, where mypy needs `flask_pynamodb.mypy_plugin` for `db.Model`.

    Attributes:
        Model: The base class of this extension's models.
        models: All models derived from it that have a table.
    """

    Model: type[_BaseModel] = _BaseModel

    def __init__(
        self, app: Flask | None = None, *, model_class: type[_BaseModel] | None = None
    ) -> None:
        self.models: list[Any] = []
        if model_class is None:
            self.Model = make_base(self)
        else:
            bind_base(self, model_class)
            self.Model = model_class
        self._own_state: AppState | None = None
        if app is not None:
            self.init_app(app)
            self._own_state = app.extensions["pynamodb"]

    def init_app(self, app: Flask) -> None:
        """Register the extension with an app; no connection is opened yet.

        Raises:
            RuntimeError: The app already has a PynamoDB extension.
            TypeError: The argument is not a Flask app.
            ConfigurationError: Settings are invalid or contradict each other.
        """
        if not isinstance(app, Flask):
            raise TypeError(f"init_app takes a Flask app, not {type(app).__name__}.")
        if "pynamodb" in app.extensions:
            raise RuntimeError(
                "This app already has a PynamoDB extension. Import and use that one,"
                " or give the other one its own app."
            )
        state = AppState(self, app.config)
        app.config.update(state.settings)
        app.extensions["pynamodb"] = state
        if app.config["DYNAMODB_DEBUG"]:
            signals.add_timing_header(app)
        app.cli.add_command(LazyCommands())
        app.shell_context_processor(self._shell_context)

    def standalone(self, settings: Mapping[str, Any]) -> Standalone:
        """Return a database for code that runs without a Flask app; no connection is opened yet.

        Example:
            >>> database = db.standalone({"DYNAMODB_REGION": "eu-central-1"})
            >>> with database.context():
            ...     Todo.get("1")

        Args:
            settings: Values by the keys of `app.config`; missing ones have their defaults.

        Raises:
            ConfigurationError: Settings are invalid or contradict each other.
        """
        return Standalone(AppState(self, settings))

    def current_database(self) -> Standalone:
        """Return the current database, for work that continues after the request.

        Example:
            >>> database = db.current_database()
            >>> def work() -> None:  # in another thread
            ...     with database.context():
            ...         Todo("1").save()

        Raises:
            RuntimeError: There is neither an app context nor a standalone database.
        """
        return Standalone(current_state(self))

    @property
    def connection(self) -> Connection:
        """The low-level connection to the current app's main database."""
        return current_state(self).connection()

    def transaction(
        self,
        bind_key: str | None = None,
        *,
        kind: Callable[..., Transaction] = Transaction,
    ) -> Transaction:
        """Start a transaction: the writes in its `with` block are all applied or none.

        Args:
            bind_key: The key of the database in DYNAMODB_BINDS, None for the main one; a
                transaction cannot span two databases.
            kind: Returns the transaction for a connection: Transaction or a subclass.
        """
        state = current_state(self)
        backoff = state.bind(bind_key).values["BASE_BACKOFF_MS"]
        return kind(state.connection(bind_key), base_backoff_ms=backoff)

    def get_many(self, *keys: tuple[Any, ...], consistent_read: bool = True) -> list[Any]:
        """Read items of several tables in one round trip for each 100 keys of a database.

        Args:
            keys: `(Model, hash_key)` or `(Model, hash_key, range_key)`. A key that is given several
                times is read once.
            consistent_read: Whether the items must include every acknowledged write.

        Returns:
            The items in the order of the keys, None for each that does not exist.

        Raises:
            GetError: DynamoDB or a table is not reachable, or keys stay unprocessed.
        """
        return batch.get_many(keys, consistent_read=consistent_read)

    @overload
    def get_in_transaction(self, key: _Key[_A], /) -> tuple[_A | None]: ...

    @overload
    def get_in_transaction(
        self, key: _Key[_A], key_2: _Key[_B], /
    ) -> tuple[_A | None, _B | None]: ...

    @overload
    def get_in_transaction(
        self, key: _Key[_A], key_2: _Key[_B], key_3: _Key[_C], /
    ) -> tuple[_A | None, _B | None, _C | None]: ...

    @overload
    def get_in_transaction(self, *keys: _Key[_A]) -> tuple[_A | None, ...]: ...

    def get_in_transaction(self, *keys: tuple[Any, ...]) -> tuple[Any, ...]:
        """Read up to 100 items of several tables as they were at one point in time.

        No write of another transaction is seen in part. It costs twice as much as `get_many`, and
        is sent again for a few seconds while transactions write these items.

        Args:
            keys: `(Model, hash_key)` or `(Model, hash_key, range_key)`, all in one database. A key
                that is given several times is read once.

        Returns:
            The items in the order of the keys, None for each that does not exist.

        Raises:
            TransactGetError: DynamoDB or a table is not reachable, or the items are written all the
                time.
            ValueError: There are more than 100 items, or items of several databases.
        """
        return transaction_reads.get_in_transaction(keys)

    @overload
    def gather(self, call: Callable[[], _R1], /) -> tuple[_R1]: ...

    @overload
    def gather(self, call: Callable[[], _R1], call_2: Callable[[], _R2], /) -> tuple[_R1, _R2]: ...

    @overload
    def gather(
        self, call: Callable[[], _R1], call_2: Callable[[], _R2], call_3: Callable[[], _R3], /
    ) -> tuple[_R1, _R2, _R3]: ...

    @overload
    def gather(self, *calls: Callable[[], Result]) -> tuple[Result, ...]: ...

    def gather(self, *calls: Callable[[], Any]) -> tuple[Any, ...]:
        """Run several calls to DynamoDB at the same time, in the time of the slowest one.

        Example:
            >>> open_todos, done_todos = db.gather(
            ...     lambda: list(Todo.query("ada", filter_condition=Todo.is_done == False)),
            ...     lambda: list(Todo.query("ada", filter_condition=Todo.is_done == True)),
            ... )

        Args:
            calls: Functions without arguments. Each runs in the context of the caller, on another
                thread except for the first.

        Returns:
            The results in the order of the calls, as a tuple.

        Raises:
            Exception: The first exception of a call.
        """
        return concurrency.gather(list(calls))

    def deadline(self, seconds: float) -> AbstractContextManager[None]:
        """Return a block whose calls end after a time, all of them together.

        It holds for calls by curl, on this thread and in `gather`. A call has the earliest of this
        deadline, that of a surrounding block, and `DYNAMODB_DEADLINE_SECONDS`; what exceeds it
        fails like a call that has timed out.

        Args:
            seconds: The time from the beginning of the block.
        """
        return deadline.limited_to(seconds)

    def ping(self) -> None:
        """Read one absent key of every table, in one round trip for each database.

        Raises:
            GetError: DynamoDB or a table is not reachable.
        """
        batch.ping(self.models)

    def missing_access(self) -> list[str]:
        """Return the missing configuration for access to DynamoDB, one line each.

        No request is sent.
        """
        connection = current_state(self).connection()
        missing = []
        try:
            if not connection.region and not connection.session.get_config_variable("region"):
                missing.append(
                    "no region: set DYNAMODB_REGION, AWS_DEFAULT_REGION or one in ~/.aws/config"
                )
            if connection.session.get_credentials() is None:
                missing.append(
                    "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile,"
                    " or a role (DynamoDB Local takes any values)"
                )
        except (BotoCoreError, OSError) as error:
            # For example a profile or a token file that does not exist.
            missing.append(f"no credentials: {error}")
        return missing

    def create_all(self, bind_key: str | None = ALL_BINDS) -> list[str]:
        """Create missing tables, and add missing features to existing ones.

        Indexes, time to live, streams, recovery and tags are added; the billing mode and the keys
        of an existing table are not changed. Safe to repeat and to run on two hosts at once.

        Args:
            bind_key: The key of one database in DYNAMODB_BINDS, None for the main one; those of all
                databases unless it is given.

        Returns:
            The changes, one line each.

        Raises:
            ConfigurationError: DYNAMODB_BINDS does not define this database.
        """
        return tables.create(self.models_of(bind_key))

    def check_all(self, bind_key: str | None = ALL_BINDS) -> list[Drift]:
        """Return the differences between the tables and the models.

        Each is a string; its `blocks` is whether the app cannot work with that table.

        Args:
            bind_key: See `create_all`.
        """
        return tables.check(self.models_of(bind_key))

    def drop_all(self, bind_key: str | None = ALL_BINDS) -> list[str]:
        """Delete the tables of the models, and return the names of those that existed.

        Args:
            bind_key: See `create_all`.
        """
        return tables.drop(self.models_of(bind_key))

    @cached_property
    def _migrations(self) -> "Migrations":
        # Apps without migrations start without their code.
        from flask_pynamodb.migrations.registry import Migrations  # noqa: PLC0415

        return Migrations(self)

    def migration(
        self, migration_id: str, model: type[_A], filter_condition: Condition | None = None
    ) -> Declaration[_A]:
        """Declare a migration: a function that changes one stored item of a model.

        Only changed attributes are written, and only if the item is as it was read; otherwise the
        function is called again with the new item. It must be safe to repeat: called with its own
        result, it changes nothing. Attributes that are not stored are None, without defaults.

        Example:
            >>> @db.migration("0001-split-names", Person)
            ... def split_names(person: Person) -> None:
            ...     if person.name and not person.family_name:
            ...         person.given_name, _, person.family_name = person.name.rpartition(" ")

        Args:
            migration_id: A unique ID. Migrations run in the order of their IDs.
            model: The model of the items.
            filter_condition: A condition on the items to read; None for all items of the table,
                also those of other models that share it.

        Returns:
            The decorator of the function. If it has a second parameter, it is called with a
            `Transaction`, to which it may add writes of other items; they are sent in one
            transaction with those of the item.

        Raises:
            TypeError: The model is not one of this extension with a table, or the function takes
                other arguments.
            ValueError: The ID has other characters, or belongs to another migration.
        """
        return self._migrations.declare(migration_id, model, filter_condition)

    def migrations(self, bind_key: str | None = ALL_BINDS) -> list[MigrationStatus]:
        """Return the status of all migrations, declared or started, in the order of their IDs.

        Args:
            bind_key: See `create_all`.

        Raises:
            MigrationError: The table of the history does not exist.
        """
        return self._migrations.statuses(bind_key)

    def migrated_models(self) -> list[Any]:
        """Return the models that have migrations, which scan their tables."""
        return self._migrations.models()

    def migrate(
        self,
        last: str | None = None,
        *,
        bind_key: str | None = ALL_BINDS,
        repeat: bool = False,
        dry_run: bool = False,
        limit: int | None = None,
        units_per_second: float | None = None,
        segments: int = 1,
        batch_size: int = 100,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[MigrationStatus], None] = lambda status: None,
    ) -> list[MigrationStatus]:
        """Run the migrations that are not done, one after the other, and continue stopped ones.

        Safe while the app serves. The position is stored after each batch, so that the next run
        continues there, also after a kill. Two runs never have the same migration at a time.

        Args:
            last: The ID of the last migration to run; all unless it is given.
            bind_key: See `create_all`.
            repeat: Run `last` alone, from the beginning, also if it is done.
            dry_run: Call the functions with the items, and write nothing.
            limit: The maximum number of items; None for all.
            units_per_second: The maximum of consumed capacity units, reads and writes together, on
                average; None for no limit.
            segments: How many segments of a table are migrated at the same time, 1 to 32. A
                migration that was started keeps its number.
            batch_size: The maximum number of items of a segment between two stored positions,
                1 to 1000.
            should_stop: Returns whether to end after the current items.
            on_progress: Called after each batch.

        Returns:
            The status of each migration of this run. With `dry_run` their counts are those of this
            run.

        Raises:
            MigrationError: A migration is unknown, removed, out of order or run by another process,
                or an item failed.
            PynamoDBException: DynamoDB is unavailable.
            ValueError: A number is out of its bounds.
        """
        options = Options(
            dry_run, limit, units_per_second, segments, batch_size, should_stop, on_progress
        )
        return self._migrations.run(last, bind_key, options, repeat=repeat)

    @contextmanager
    def allow_scan(self) -> Iterator[None]:
        """Allow scans inside the `with` block."""
        before = scan_is_allowed.set(True)
        try:
            yield
        finally:
            scan_is_allowed.reset(before)

    def models_of(self, bind_key: str | None = ALL_BINDS) -> list[Any]:
        """Return the models of one database, or of all.

        Args:
            bind_key: See `create_all`.

        Raises:
            ConfigurationError: DYNAMODB_BINDS does not define this database.
        """
        if bind_key == ALL_BINDS:
            return self.models
        current_state(self).bind(bind_key)
        return [model for model in self.models if model.__bind_key__ == bind_key]

    def _shell_context(self) -> dict[str, Any]:
        """Return the names in `flask shell`: all models, and `db`."""
        return {**{model.__name__: model for model in self.models}, "db": self}
