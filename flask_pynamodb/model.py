"""The base class of all models, which looks up connection and table in the current app."""

import warnings
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, Self, cast

from flask import abort
from pynamodb.connection import TableConnection
from pynamodb.exceptions import DoesNotExist as DoesNotExistError
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition
from pynamodb.pagination import ResultIterator

from flask_pynamodb.app_model import AppModel
from flask_pynamodb.deprecation import renamed_argument
from flask_pynamodb.errors import ScanRefused, ScanWarning, VersionConflict, error_code
from flask_pynamodb.items import Reader, load
from flask_pynamodb.keys import can_exist
from flask_pynamodb.model_meta import ModelType
from flask_pynamodb.pagination import Page, paginate
from flask_pynamodb.state import Database, current_state
from flask_pynamodb.unique import UniqueValue, reserve_all

# Set inside `with db.allow_scan():`.
scan_is_allowed: ContextVar[bool] = ContextVar("scan_is_allowed", default=False)


class Model(AppModel, metaclass=ModelType):
    """A PynamoDB model bound to the current app; derive from `db.Model`, not from this class.

    A model has a table of its own, named after the class unless its Meta has a `table_name`.
    Several models may name the same table. Children of a model with a discriminator share its
    table.

    Attributes:
        __abstract__: True for a base class without a table, such as one with common attributes;
            not inherited. A class without a hash key is abstract.
        __bind_key__: The key of the model's database in `DYNAMODB_BINDS`; None is the app's main
            database.
    """

    __abstract__: bool = True
    # To some type checkers the type of PynamoDB's own is unknown.
    DoesNotExist: type[DoesNotExistError]
    _reader: Reader | None = None

    @classmethod
    def _instantiate(cls, attribute_values: dict[str, Any]) -> Self:
        # The model overrides PynamoDB's reading.
        if cls._reader is None:
            return super()._instantiate(attribute_values)
        return load(cls, cls._reader, attribute_values)  # type: ignore[no-any-return]

    def deserialize(self, attribute_values: dict[str, dict[str, Any]]) -> None:
        """Replace the attributes by those that an update or a refresh returned."""
        reader = type(self)._reader
        if reader is None:
            super().deserialize(attribute_values)
        else:
            reader(self, attribute_values)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        return current_state(cls._db).table(cls)

    @classmethod
    def create_table(cls, wait: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Create this model's table like PynamoDB, with the app's billing mode as the default.

        `db.create_all()` also completes existing tables, and is safe to run concurrently.
        """
        own = current_state(cls._db).bind(cls.__bind_key__).billing_of(cls.Meta.chosen)
        if not args and "billing_mode" not in kwargs and "read_capacity_units" not in kwargs:
            kwargs.update(own)
        return super().create_table(wait, *args, **kwargs)

    @classmethod
    def get_or_404(
        cls,
        *key: Any,
        description: str | None = None,
        message: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return an item, or end the request with 404 if it does not exist.

        Args:
            key: The hash key and the range key. A key that no item can have, such as an empty one,
                is a key of no item.
            description: The text of the error.
            message: The same, by its name in Flask-PynamoDB.
            kwargs: Options of `get`.
        """
        hash_key = key[0] if key else kwargs.get("hash_key")
        range_key = key[1] if len(key) > 1 else kwargs.get("range_key")
        if hash_key is not None and not can_exist(cls, hash_key, range_key):
            _not_found(description or message)
        try:
            return cls.get(*key, **kwargs)
        except cls.DoesNotExist:
            _not_found(description or message)

    @classmethod
    def first_or_404(
        cls,
        *key: Any,
        description: str | None = None,
        message: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Return the first item of a query, or end the request with 404 if there is none.

        Args:
            key: The arguments of `query`. Without any, it is the first item of the table, which
                is a scan and has to be allowed as one.
            description: The text of the error.
            message: The same, by its name in Flask-PynamoDB.
            kwargs: Options of `query`, or of `scan`.
        """
        if key or "hash_key" in kwargs:
            items = cls._query_possible(*key, **{**kwargs, "limit": 1})
        else:
            items = cls.scan(**{**kwargs, "limit": 1})
        item: Self | None = next(iter(items), None)
        return item if item is not None else _not_found(description or message)

    @classmethod
    def query_one_or_404(cls, *key: Any, description: str | None = None, **kwargs: Any) -> Self:
        """Return the only item of a query, or end the request with 404 for none or several."""
        items: list[Self] = list(cls._query_possible(*key, **{**kwargs, "limit": 2}))
        return items[0] if len(items) == 1 else _not_found(description)

    @classmethod
    def _query_possible(cls, *key: Any, **kwargs: Any) -> Iterable[Any]:
        """Query, unless no item can have the hash key."""
        hash_key = key[0] if key else kwargs.get("hash_key")
        index_name = kwargs.get("index_name")
        if hash_key is not None and not can_exist(cls, hash_key, index_name=index_name):
            return ()
        return cls.query(*key, **kwargs)

    @classmethod
    def scan(cls, *args: Any, **kwargs: Any) -> ResultIterator[Self]:
        """Read the whole table, if this is allowed.

        It is allowed inside `with db.allow_scan():`, with `allow_scan = True` in the model's Meta,
        and with `DYNAMODB_ALLOW_SCAN = True`. Otherwise it issues a `ScanWarning`, or, with
        `DYNAMODB_ALLOW_SCAN = False`, raises an error.

        Raises:
            ScanRefused: It is not allowed, and DYNAMODB_ALLOW_SCAN is False.
        """
        if not (scan_is_allowed.get() or getattr(cls.Meta, "allow_scan", False)):
            _check_scan(cls, current_state(cls._db).allows_scan)
        return super().scan(*args, **kwargs)

    def save_if_match(self, version: int | None) -> None:
        """Save the item if the stored item has a version.

        Args:
            version: The expected version, for example from an `If-Match` header; None if the item
                must not exist yet.

        Raises:
            VersionConflict: The stored item has another version, is gone, or exists already.
            TypeError: The model has no VersionAttribute.
        """
        if self._version_attribute_name is None:
            raise TypeError(f"{type(self).__name__} has no VersionAttribute to compare.")
        # To PynamoDB an item without the attribute is not stored yet; None is not the same.
        self.attribute_values.pop(self._version_attribute_name, None)
        if version is not None:
            setattr(self, self._version_attribute_name, version)
        try:
            self.save()
        except PutError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise VersionConflict(
                f"This {type(self).__name__} has changed since it was read."
            ) from error

    @renamed_argument(claims="reservations")
    def save_unique(
        self,
        reservations: type[UniqueValue],
        values: Mapping[str, str],
        previous: Mapping[str, str] | None = None,
    ) -> None:
        """Save the item and reserve its unique values in one transaction.

        Args:
            reservations: The model of the table of reservations.
            values: The unique values, normalized, by name, as in `{"email": "ada@example.com"}`.
            previous: The reserved values of the stored item. Those that differ are released in the
                same transaction.

        Raises:
            NotUnique: Another item has one of the values; `name` is the name of that value.
            VersionConflict: The item or its reservations have changed since it was read.
        """
        reserve_all(self, reservations, values, previous or {})

    @renamed_argument(claims="reservations")
    def delete_unique(self, reservations: type[UniqueValue], values: Mapping[str, str]) -> None:
        """Delete the item and release its unique values in one transaction.

        Raises:
            VersionConflict: The item or its reservations have changed since it was read.
        """
        reserve_all(self, reservations, {}, values, deletes=True)

    @classmethod
    def paginate(
        cls,
        hash_key: Any,
        range_key_condition: Condition | None = None,
        filter_condition: Condition | None = None,
        *,
        index_name: str | None = None,
        scan_index_forward: bool = True,
        consistent_read: bool = False,
        limit: int = 25,
        max_per_page: int = 100,
        cursor: str | None = None,
    ) -> Page[Self]:
        """Return one page of a query.

        Args:
            hash_key: The partition to read.
            range_key_condition: A condition on the sort key.
            filter_condition: A condition on the read items. DynamoDB applies the limit before the
                filter, so a page may have fewer items than `limit` although more follow.
            index_name: A secondary index to read instead of the table.
            scan_index_forward: False for descending order.
            consistent_read: Whether the page must include every acknowledged write.
            limit: The maximum number of items, at least 1. One more is read, so that the last page
                is known as such.
            max_per_page: The upper bound of `limit`, which clients may choose.
            cursor: The `next_cursor` or `previous_cursor` of another page of the list, or None for
                the first page.

        Raises:
            InvalidCursor: The cursor was not made for this table, index, key and filter.
            ValueError: The limit or its bound is not a positive integer.
        """
        names = cls._get_connection().get_meta_table().get_key_names(index_name)
        conditions = (range_key_condition, filter_condition)
        scope = f"{cls.Meta.table_name}|{index_name}|{hash_key!r}|{conditions}|{scan_index_forward}"
        return paginate(
            lambda start, is_backward, size: cls.query(
                hash_key,
                range_key_condition,
                filter_condition,
                index_name=index_name,
                scan_index_forward=scan_index_forward != is_backward,
                consistent_read=consistent_read,
                page_size=size,
                last_evaluated_key=start,
            ),
            scope=scope,
            cursor=cursor,
            limit=limit,
            max_per_page=max_per_page,
            key_names=names,
            from_raw=cls.from_raw_data,
        )


def make_base(database: Database) -> type[Model]:
    """Return the base class of the models of one extension."""
    namespace = {"_db": database, "__module__": __name__, "__doc__": Model.__doc__}
    return cast(type[Model], ModelType("Model", (Model,), namespace))


def bind_base(database: Database, base: type[Model]) -> None:
    """Make a class the base class of the models of one extension.

    Raises:
        TypeError: The class is not derived from `Model`.
        RuntimeError: The class belongs to another extension, or has models already.
    """
    if not (isinstance(base, type) and issubclass(base, Model)) or base is Model:
        raise TypeError("model_class must be a class that is derived from flask_pynamodb.Model.")
    if base._db is not None:
        raise RuntimeError(f"{base.__name__} is the base class of another extension already.")
    if base.__subclasses__():
        raise RuntimeError(
            f"{base.__name__} has models already: create the extension before its models."
        )
    base._db = database
    base.__abstract__ = True


def _not_found(description: str | None) -> NoReturn:
    abort(404, description=description)


def _check_scan(model: type[Model], allowed: bool | None) -> None:
    if allowed:
        return
    message = (
        f"{model.__name__}.scan() reads the whole table. If this is intended, write"
        " `with db.allow_scan():` around it, or set allow_scan = True in the model's Meta, or"
        " DYNAMODB_ALLOW_SCAN = True."
    )
    if allowed is False:
        raise ScanRefused(message)
    warnings.warn(message, ScanWarning, stacklevel=3)
