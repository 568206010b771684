"""Migrations of stored items: `roster dynamodb migrate` runs those that are not done.

They run while hosts of this version serve. Hosts of the version before do not disturb them, but
write no rows of the search: run them once all hosts have been upgraded.
"""

from flask import Flask, current_app

from flask_pynamodb import Transaction
from models import SearchTerm, User, db, drop_rows, expire_row, write_rows
from roster.config import Config

SEARCH_TERMS = "0001-search-terms"
OLD_SEARCH_TERMS = "0002-old-search-terms"
# The key of ROSTER_SEARCH in the configuration of an app.
SEARCH_KEY = "ROSTER_SEARCH"


def database_app(config: Config) -> Flask:
    """Return an app with the database of the settings and no routes."""
    app = Flask("roster", static_folder=None)
    app.config.from_mapping(config.for_flask())
    db.init_app(app)
    return app


@db.migration(SEARCH_TERMS, User)
def write_search_terms(user: User, transaction: Transaction) -> None:
    """Write the rows by which a user is found, or remove them where the search is off."""
    if current_app.config[SEARCH_KEY]:
        write_rows(transaction, user)
    else:
        drop_rows(transaction, user)


@db.migration(OLD_SEARCH_TERMS, SearchTerm)
def remove_old_search_terms(row: SearchTerm, transaction: Transaction) -> None:
    """Let a row expire that its user does not have, since a host of a former version changed it."""
    expire_row(transaction, row)
