"""Migrate one item: write the changes of the function, unless the item has changed since."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pynamodb.attributes import AttributeContainer, MapAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from flask_pynamodb.errors import MigrationError, error_code, is_unavailable
from flask_pynamodb.migrations.declaration import Migration
from flask_pynamodb.transaction import Transaction

# An item that is written by others at the same time is read again, after delays that double.
_ATTEMPTS = 10
_FIRST_DELAY_SECONDS = 0.01

# An item in DynamoDB's format.
Item = Mapping[str, dict[str, Any]]


class _ItemChanged(Exception):
    """The item has changed since it was read."""


def migrate_item(migration: Migration, item: Item, *, dry_run: bool) -> bool:
    """Call the function with an item, and write what it changed.

    The write has the condition that all attributes of the model are as they were read. If another
    client has written the item in between, the function is called again with the new item.

    Args:
        migration: The migration.
        item: The item.
        dry_run: Whether to write nothing.

    Returns:
        Whether the item was written, or would be.

    Raises:
        MigrationError: The function fails, or the item changes all the time; the text has its key.
        Exception: DynamoDB is unavailable.
    """
    try:
        return _migrate(migration, item, dry_run)
    except Exception as error:
        if is_unavailable(error):
            raise
        key = key_text(migration.model, item)
        raise MigrationError(
            f"{migration.id}: the item {key} failed: {type(error).__name__}: {error}",
            failure=f"{type(error).__name__} at {key}",
        ) from error


def key_text(model: Any, item: Item) -> str:
    """Return the key of an item as text, as in `owner='ada', id='1'`."""
    return ", ".join(f"{name}={next(iter(item[name].values()))!r}" for name in key_names(model))


def key_names(model: Any) -> list[str]:
    """Return the names of the key attributes of a model's table."""
    return list(model._get_connection().get_meta_table().get_key_names())


def _migrate(migration: Migration, item: Item, dry_run: bool) -> bool:
    current: Item | None = item
    for attempt in range(_ATTEMPTS):
        if current is None:
            # Deleted by another client.
            return False
        write = _Write.plan(migration, current)
        if write.is_empty or dry_run:
            return not write.is_empty
        try:
            write.send()
            return True
        except _ItemChanged:
            # Jitter only has to differ between hosts; it has no security purpose.
            time.sleep(random.random() * _FIRST_DELAY_SECONDS * 2**attempt)  # nosec B311
            current = _read(migration.model, item)
    raise TimeoutError(f"other clients changed it during {_ATTEMPTS} attempts")


def _read(model: Any, item: Item) -> Item | None:
    table = model._get_connection()
    keys = [next(iter(item[name].values())) for name in key_names(model)]
    found: Item | None = table.get_item(*keys, consistent_read=True).get("Item")
    return found


@dataclass(frozen=True)
class _Write:
    """The writes for one item.

    Attributes:
        instance: The item, changed by the function.
        actions: The changes of its attributes.
        is_unchanged: The condition that the stored item is as it was read.
        transaction: The writes of other items.
    """

    instance: Any
    actions: list[Action]
    is_unchanged: Condition
    transaction: Transaction

    @classmethod
    def plan(cls, migration: Migration, item: Item) -> Self:
        """Call the function of a migration with an item."""
        instance = migration.model.from_raw_data(item)
        _drop_defaults(instance, item)
        before = instance.serialize(null_check=False)
        transaction = Transaction(migration.model._get_connection().connection)
        result = migration.call(instance, transaction)
        if result is not None:
            raise TypeError(
                f"the function returned {type(result).__name__}; it has to change the item instead"
            )
        actions = _actions(instance, before, instance.serialize(null_check=False))
        return cls(instance, actions, _is_unchanged(instance, item), transaction)

    @property
    def is_empty(self) -> bool:
        return not self.actions and not self.transaction.size

    def send(self) -> None:
        """Send the writes.

        Raises:
            _ItemChanged: The item has changed since it was read.
        """
        try:
            if self.transaction.size:
                self._send_transaction()
            else:
                self.instance.update(self.actions, self.is_unchanged, add_version_condition=False)
        except UpdateError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise _ItemChanged from error
        except Exception as error:
            # Another condition failed too, which does not count for the item as it is now.
            if any(isinstance(one, _ItemChanged) for one in getattr(error, "other_failures", ())):
                raise _ItemChanged from error
            raise

    def _send_transaction(self) -> None:
        instance, changed = self.instance, _ItemChanged()
        with self.transaction as transaction:
            if self.actions:
                transaction.update(
                    instance,
                    self.actions,
                    self.is_unchanged,
                    add_version_condition=False,
                    otherwise=changed,
                )
            else:
                names = (instance._hash_keyname, instance._range_keyname)
                hash_key, range_key = (name and getattr(instance, name) for name in names)
                transaction.condition_check(
                    type(instance), hash_key, range_key, self.is_unchanged, otherwise=changed
                )


def _drop_defaults(container: AttributeContainer, item: Item) -> None:
    """Remove the default values of attributes that are not stored.

    Otherwise a function that sets an attribute to its default would change nothing.
    """
    for name, attribute in container.get_attributes().items():
        stored = item.get(attribute.attr_name)
        if stored is None or "NULL" in stored:
            container.attribute_values.pop(name, None)
        else:
            _drop_nested_defaults(container.attribute_values[name], stored)


def _drop_nested_defaults(value: Any, stored: dict[str, Any]) -> None:
    if isinstance(value, MapAttribute):
        _drop_defaults(value, stored["M"])
    elif isinstance(value, list):
        for element, one in zip(value, stored.get("L", ()), strict=False):
            _drop_nested_defaults(element, one)


def _actions(instance: Any, before: Item, after: Item) -> list[Action]:
    """Return the changes of an instance."""
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    for name, attribute in instance.get_attributes().items():
        is_key = attribute.is_hash_key or attribute.is_range_key
        if attribute.attr_name in changed and (is_key or name == instance._version_attribute_name):
            raise ValueError(f"the function changed {name}, which is a key or the version")
    paths = {name: Path([name]) for name in changed}
    return [
        path.set(after[name]) if name in after else path.remove() for name, path in paths.items()
    ]


def _is_unchanged(instance: Any, item: Item) -> Condition:
    """Return the condition that the attributes of the model are as they were read.

    All of them: a function may have computed one attribute from any other.
    """
    hash_name, *others = key_names(instance)
    # Without it, the update would create an item that was deleted.
    condition: Condition = Path([hash_name]).exists()
    for attribute in instance.get_attributes().values():
        name = attribute.attr_name
        path = Path([name])
        if name in item and name not in (hash_name, *others):
            condition &= path == item[name]
        elif name not in item:
            condition &= path.does_not_exist()
    return condition
