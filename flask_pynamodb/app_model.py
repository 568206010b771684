"""The part of a model that the state of an app reads; `model.Model` adds the rest."""

from collections.abc import Mapping
from typing import Any, cast

from pynamodb import models


class AppModel(models.Model):
    """A PynamoDB model that belongs to one of an app's databases.

    Attributes:
        __bind_key__: The key of the database in `DYNAMODB_BINDS`; None is the app's main database.
    """

    __bind_key__: str | None = None
    # The extension object.
    _db: Any = None

    @classmethod
    def _base_table_name(cls, settings: Mapping[str, Any]) -> str:
        """Return the name of the table without prefix and suffix.

        Args:
            settings: The settings of the database, without `DYNAMODB_`.
        """
        name: str = cast(Any, cls).Meta.base_table_name
        return name


def chosen_in(model: type[AppModel]) -> dict[str, Any]:
    """Return the settings in a model's Meta, by their keys."""
    chosen: dict[str, Any] = cast(Any, model).Meta.chosen
    return chosen
