"""The part of a model that the state of an app reads; `model.Model` adds the rest."""

from typing import Any

from pynamodb import models


class AppModel(models.Model):
    """A PynamoDB model that belongs to one of an app's databases.

    Attributes:
        __bind_key__: The key of the database in `DYNAMODB_BINDS`; None is the app's main database.
    """

    __bind_key__: str | None = None
    # The extension object.
    _db: Any = None
