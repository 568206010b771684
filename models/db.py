"""The one extension object, and the base class of its tables, which are in `tables/`."""

from flask_pynamodb import Model, PynamoDB


class Table(Model):
    """The base class of all tables. Type checkers resolve it, unlike `db.Model`."""


db = PynamoDB(model_class=Table)
