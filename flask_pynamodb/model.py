"""The base of all models: connection, table name and capacity come from the current app, late."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, cast

from flask import abort, current_app, has_app_context
from pynamodb import models
from pynamodb.connection import TableConnection
from pynamodb.expressions.condition import Condition

from flask_pynamodb.pagination import Page, paginate

if TYPE_CHECKING:
    from flask_pynamodb.extension import PynamoDB

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class _LateMeta(type):
    """The type of a model's Meta: reading `table_name` adds the current app's prefix.

    PynamoDB reads `Meta.table_name` again in batch operations, so a prefix that only the
    connection knows would be missing there.
    """

    @property
    def table_name(cls) -> str:
        prefix = current_app.config["DYNAMODB_TABLE_PREFIX"] if has_app_context() else ""
        return f"{prefix}{cls.base_table_name}"

    @property
    def base_table_name(cls) -> str:
        """The table's name before the prefix."""
        return next(
            str(vars(part)["table_name"]) for part in cls.__mro__ if "table_name" in vars(part)
        )


class _ModelType(models.MetaModel):
    """Gives every model a Meta and remembers which settings it chose itself."""

    _db: "PynamoDB | None" = None

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kw: Any):
        is_base = cls._db is None or "_db" in namespace
        own = namespace.get("Meta")
        if own is None and not is_base and getattr(cls, "Meta", None) is None:
            own = type("Meta", (), {})
        if own is not None:
            chosen = _chosen_settings(own)
            chosen.setdefault("table_name", _WORD_START.sub("_", name).lower())
            meta = _LateMeta("Meta", (own,), {**chosen, "chosen": chosen})
            cls.Meta = namespace["Meta"] = meta
        super().__init__(name, bases, namespace, **kw)
        if own is not None and not is_base:
            cls._db.models.append(cls)  # type: ignore[union-attr,arg-type]


def _chosen_settings(meta: type) -> dict[str, Any]:
    """What the author of a Meta wrote, without what PynamoDB filled in afterwards."""
    chosen: dict[str, Any] = {}
    for part in reversed(meta.__mro__[:-1]):
        written = vars(part).get("chosen", vars(part))
        chosen.update((key, value) for key, value in written.items() if not key.startswith("_"))
    return chosen


class Model(models.Model, metaclass=_ModelType):
    """A PynamoDB model without settings of its own; derive from `db.Model`, not from this."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        if cls._db is None:
            raise RuntimeError(f"{cls.__name__} has no database: derive it from db.Model.")
        return cls._db.table_of(cls)

    @classmethod
    def get_or_404(cls, *key: Any, **kwargs: Any) -> Self:
        """Like `get`, but an absent item ends the request with 404."""
        try:
            return cls.get(*key, **kwargs)
        except cls.DoesNotExist:
            abort(404)

    @classmethod
    def first_or_404(cls, *key: Any, **kwargs: Any) -> Self:
        """The first item of a query, or 404."""
        item = next(cls.query(*key, **{**kwargs, "limit": 1}), None)
        if item is None:
            abort(404)
        return item

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
        conditions: Sequence[Any] = (range_key_condition, filter_condition)
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
