"""The base of all models: connection, table name and capacity come from the current app, late."""

import re
import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

from flask import abort
from pynamodb import models
from pynamodb.connection import TableConnection
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from flask_pynamodb.errors import ScanRefused, ScanWarning, VersionConflict, error_code
from flask_pynamodb.items import Reading, fill, read, reading_of
from flask_pynamodb.pagination import Page, paginate
from flask_pynamodb.state import current_state, find_state
from flask_pynamodb.unique import UniqueValue, reserve_all

if TYPE_CHECKING:
    from flask_pynamodb.extension import PynamoDB

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Set inside `with db.allow_scan():`.
scan_is_allowed: ContextVar[bool] = ContextVar("scan_is_allowed", default=False)


class _LateMeta(type):
    """The type of a model's Meta: reading `table_name` asks the current app.

    PynamoDB reads `Meta.table_name` again in batch operations, so a prefix that only the
    connection knows would be missing there.
    """

    owner: "type[Model]"

    @property
    def table_name(cls) -> str:
        if find_state() is None:
            return cls.base_table_name
        return cls.owner._get_connection().table_name

    @property
    def base_table_name(cls) -> str:
        """The table's name before the app's prefix and suffix."""
        return next(
            str(vars(part)["table_name"]) for part in cls.__mro__ if "table_name" in vars(part)
        )


class _ModelType(models.MetaModel):
    """Gives every model a Meta and remembers which settings it chose itself."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kw: Any):
        database: PynamoDB | None = getattr(cls, "_db", None)
        is_base = database is None or "_db" in namespace
        own = namespace.get("Meta")
        if own is None and not is_base and getattr(cls, "Meta", None) is None:
            own = type("Meta", (), {})
        if own is not None:
            chosen = _chosen_settings(own)
            chosen.setdefault("table_name", _WORD_START.sub("_", name).lower())
            meta = _LateMeta("Meta", (own,), {**chosen, "chosen": chosen, "owner": cls})
            cls.Meta = namespace["Meta"] = meta
        super().__init__(name, bases, namespace, **kw)
        cls._reading = reading_of(cast(Any, cls))
        if database is not None and own is not None and not is_base:
            database.models.append(cast(type[Model], cls))


def _chosen_settings(meta: type) -> dict[str, Any]:
    """What the author of a Meta wrote, without what PynamoDB filled in afterwards."""
    chosen: dict[str, Any] = {}
    for part in reversed(meta.__mro__[:-1]):
        written = vars(part).get("chosen", vars(part))
        chosen.update((key, value) for key, value in written.items() if not key.startswith("_"))
    return chosen


class Model(models.Model, metaclass=_ModelType):
    """A PynamoDB model without settings of its own; derive from `db.Model`, not from this.

    `__bind_key__` names the database of `DYNAMODB_BINDS` that the model lives in; None is the
    app's main one.
    """

    __bind_key__: str | None = None
    _db: "PynamoDB | None" = None
    _reading: Reading | None = None

    @classmethod
    def _instantiate(cls, attribute_values: dict[str, Any]) -> Self:
        # Reading is PynamoDB's own affair where a model hooks into it.
        if cls._reading is None:
            return super()._instantiate(attribute_values)
        return read(cls, cls._reading, attribute_values)  # type: ignore[no-any-return]

    def deserialize(self, attribute_values: dict[str, dict[str, Any]]) -> None:
        """Take over what an update or a refresh has read back."""
        if self._reading is None:
            super().deserialize(attribute_values)
        else:
            fill(self, self._reading, attribute_values)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        return current_state().table(cls)

    @classmethod
    def create_table(cls, wait: bool = False, *args: Any, **kwargs: Any) -> Any:
        """Make this model's table as PynamoDB does, billed as the app says where nobody else does.

        `db.create_all()` does more: it completes tables that exist, and may be raced.
        """
        own = current_state().bind(cls.__bind_key__).billing_of(cls.Meta.chosen)  # type: ignore[attr-defined]
        if not args and "billing_mode" not in kwargs and "read_capacity_units" not in kwargs:
            kwargs.update(own)
        return super().create_table(wait, *args, **kwargs)

    @classmethod
    def get_or_404(cls, *key: Any, description: str | None = None, **kwargs: Any) -> Self:
        """Like `get`, but an absent item ends the request with 404."""
        try:
            return cls.get(*key, **kwargs)
        except cls.DoesNotExist:
            _not_found(description)

    @classmethod
    def first_or_404(cls, *key: Any, description: str | None = None, **kwargs: Any) -> Self:
        """The first item of a query, or 404."""
        item = next(cls.query(*key, **{**kwargs, "limit": 1}), None)
        return item if item is not None else _not_found(description)

    @classmethod
    def query_one_or_404(cls, *key: Any, description: str | None = None, **kwargs: Any) -> Self:
        """The only item of a query, or 404 for none or several."""
        items = list(cls.query(*key, **{**kwargs, "limit": 2}))
        return items[0] if len(items) == 1 else _not_found(description)

    @classmethod
    def scan(cls, *args: Any, **kwargs: Any) -> Any:
        """Read the whole table, where somebody has said that this is meant.

        It is meant inside `with db.allow_scan():`, with `allow_scan = True` in the model's Meta,
        and with `DYNAMODB_ALLOW_SCAN = True`. Otherwise a `ScanWarning` is given, or, with
        `DYNAMODB_ALLOW_SCAN = False`, the Scan is refused.

        Raises:
            ScanRefused: Nobody has said so, and the app refuses what nobody has.
        """
        if not (scan_is_allowed.get() or getattr(cls.Meta, "allow_scan", False)):
            _question_scan(cls, current_state().allows_scan)
        return super().scan(*args, **kwargs)

    def save_if_match(self, version: int | None) -> None:
        """Save the item if the stored one is at a version.

        Args:
            version: What the caller has read, for example out of an `If-Match` header; None if
                there must be no such item yet.

        Raises:
            VersionConflict: The stored item is at another version, or gone, or there already.
            TypeError: The model has no VersionAttribute.
        """
        if self._version_attribute_name is None:
            raise TypeError(f"{type(self).__name__} has no VersionAttribute to compare.")
        # PynamoDB takes an absent value, but not None, for an item that is not stored yet.
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

    def save_unique(
        self,
        claims: type[UniqueValue],
        values: Mapping[str, str],
        previous: Mapping[str, str] | None = None,
    ) -> None:
        """Save the item together with a claim on each of its unique values: all or nothing.

        Args:
            claims: The model of the table that holds the claims.
            values: What must be unique, normalised, by a name for it, as in
                `{"email": "ada@example.com"}`.
            previous: The values that the stored item has claimed. Those that differ are released
                in the same transaction.

        Raises:
            NotUnique: Somebody else has one of the values; its `name` says which.
            VersionConflict: The item has changed since it was read, or its claims have.
        """
        reserve_all(self, claims, values, previous or {})

    def delete_unique(self, claims: type[UniqueValue], values: Mapping[str, str]) -> None:
        """Delete the item and release its unique values: all or nothing.

        Raises:
            VersionConflict: The item has changed since it was read, or its claims have.
        """
        reserve_all(self, claims, {}, values, deletes=True)

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
        cursor: str | None = None,
    ) -> Page[Self]:
        """One page of a query.

        Args:
            hash_key: The partition to read.
            range_key_condition: A condition on the sort key.
            filter_condition: A condition on what was read. DynamoDB counts items before it
                filters them, so a page may hold fewer than `limit` although more follow.
            index_name: A secondary index to read instead of the table.
            scan_index_forward: False for descending order.
            consistent_read: Whether the page must show every acknowledged write.
            limit: How many items are read at the most.
            cursor: The `next_cursor` of the page before, or None for the first page.

        Raises:
            InvalidCursor: The cursor was not made for this table, index, key and filter.
        """
        conditions = (range_key_condition, filter_condition)
        scope = f"{cls.Meta.table_name}|{index_name}|{hash_key!r}|{conditions}|{scan_index_forward}"
        return paginate(
            lambda start: cls.query(
                hash_key,
                range_key_condition,
                filter_condition,
                index_name=index_name,
                scan_index_forward=scan_index_forward,
                consistent_read=consistent_read,
                page_size=limit,
                last_evaluated_key=start,
            ),
            scope=scope,
            cursor=cursor,
            from_raw=cls.from_raw_data,
        )


def make_base(database: "PynamoDB") -> type[Model]:
    """The base class of one extension's models."""
    namespace = {"_db": database, "__module__": __name__, "__doc__": Model.__doc__}
    return cast(type[Model], _ModelType("Model", (Model,), namespace))


def _not_found(description: str | None) -> NoReturn:
    abort(404, description=description)


def _question_scan(model: type[Model], allowed: bool | None) -> None:
    if allowed:
        return
    question = (
        f"{model.__name__}.scan() reads the whole table. Where that is meant, write"
        " `with db.allow_scan():` around it, or set allow_scan = True in the model's Meta, or"
        " DYNAMODB_ALLOW_SCAN = True."
    )
    if allowed is False:
        raise ScanRefused(question)
    warnings.warn(question, ScanWarning, stacklevel=3)
