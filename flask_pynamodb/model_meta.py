"""The metaclass of models: which of them have a table, and the settings in their Metas."""

import re
from typing import Any

from pynamodb import models
from pynamodb.attributes import Attribute

from flask_pynamodb.items import HOOKS, compile_reader
from flask_pynamodb.setting_values import read_meta
from flask_pynamodb.state import Database, find_state

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class LazyMeta(type):
    """The type of a model's Meta, whose `table_name` is looked up in the current app.

    PynamoDB reads `Meta.table_name` in batch operations, so it must include the app's prefix.

    Attributes:
        owner: The model.
        chosen: The settings of the model's author. As in PynamoDB, None means that a setting is
            not chosen, and a setting may be changed until the model is first used in an app.
    """

    owner: Any
    chosen: dict[str, Any]

    @property
    def table_name(cls) -> str:
        if find_state(cls.owner._db) is None:
            return cls.base_table_name
        return str(cls.owner._get_connection().table_name)

    @table_name.setter
    def table_name(cls, name: str) -> None:
        cls.chosen["table_name"] = name

    @property
    def base_table_name(cls) -> str:
        """The name of the table without the app's prefix and suffix."""
        if "table_name" not in cls.chosen:
            raise AttributeError(f"{cls.owner.__name__} is abstract: it has no table.")
        return str(cls.chosen["table_name"])

    def __setattr__(cls, name: str, value: Any) -> None:
        if vars(cls).get("is_complete") and name != "table_name":
            value = read_meta(cls.owner.__name__, name, value)
            cls.chosen.pop(name, None)
            if value is not None:
                cls.chosen[name] = value
        super().__setattr__(name, value)


class ModelType(models.MetaModel):
    """Adds a Meta to every model with a table, and registers the model with its extension.

    A class without a Meta of its own has a table of its own, named after the class, with the other
    settings of the Meta that it inherits. Exceptions are children of a model with a discriminator,
    which share its table. A class with `__abstract__ = True`, or without a hash key, has no table.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kw: Any):
        database: Database | None = getattr(cls, "_db", None)
        flag = namespace.get("__abstract__", False)
        cls.__abstract__ = "_db" in namespace or flag or not _has_key(cls)
        own = namespace.get("Meta")
        shares = own is None and any(getattr(base, "_discriminator", None) for base in bases)
        if own is not None or not (cls.__abstract__ or shares):
            cls.Meta = namespace["Meta"] = _lazy_meta(cls, own)
        super().__init__(name, bases, namespace, **kw)
        if "Meta" in namespace:
            cls.Meta.is_complete = True
        _set_reader(cls)
        if database is not None and "Meta" in namespace and not cls.__abstract__:
            _register(database, cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in HOOKS:
            _set_reader(cls)

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        if name in HOOKS:
            _set_reader(cls)


def _set_reader(model: Any) -> None:
    """Compile how items of a model and of its children are read."""
    reader = compile_reader(model)
    # Static, or Python would pass an instance as its first argument.
    model._reader = None if reader is None else staticmethod(reader)
    for child in model.__subclasses__():
        _set_reader(child)


def _register(database: Database, model: Any) -> None:
    """Add a model to its extension, instead of its predecessor if its module was reloaded."""
    for position, known in enumerate(database.models):
        if _identity(known) == _identity(model):
            database.models[position] = model
            return
    database.models.append(model)


def _identity(model: Any) -> tuple[Any, ...]:
    # Several models of one function have the same name, but not the same table.
    return (
        model.__module__,
        model.__qualname__,
        model.__bind_key__,
        model.Meta.chosen["table_name"],
    )


def _lazy_meta(model: Any, own: type | None) -> LazyMeta:
    inherited = getattr(model, "Meta", None) if own is None else None
    chosen = _chosen_settings(model.__name__, own or inherited)
    if own is None:
        chosen.pop("table_name", None)
    if not model.__abstract__:
        chosen.setdefault("table_name", _WORD_START.sub("_", model.__name__).lower())
    # PynamoDB sets its own defaults as attributes of the Meta; they are not to be inherited.
    bases = () if own is None else (own,)
    attributes = {name: value for name, value in chosen.items() if name != "table_name"}
    return LazyMeta("Meta", bases, {**attributes, "chosen": chosen, "owner": model})


def _chosen_settings(model: str, meta: type | None) -> dict[str, Any]:
    """Return the settings in a Meta, each in its type, without those that PynamoDB added."""
    chosen: dict[str, Any] = {}
    for part in reversed(meta.__mro__[:-1] if meta else ()):
        written = vars(part).get("chosen", vars(part))
        chosen.update((key, value) for key, value in written.items() if not key.startswith("_"))
    read = {key: read_meta(model, key, value) for key, value in chosen.items()}
    return {key: value for key, value in read.items() if value is not None}


def _has_key(model: type) -> bool:
    return any(
        isinstance(value, Attribute) and value.is_hash_key
        for part in model.__mro__
        for value in vars(part).values()
    )
