"""One app's way to DynamoDB, and one model's table on it."""

import threading
from typing import Any

from pynamodb.connection import Connection, TableConnection
from pynamodb.connection.base import MetaTable


class AppConnection(Connection):
    """A connection that the tables of one app share, so that they share one pool.

    PynamoDB gives each model a client of its own and makes it without a lock.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._client_lock = threading.Lock()

    @property
    def client(self) -> Any:
        """The botocore client, made once however many threads ask first."""
        with self._client_lock:
            return super().client

    def know(self, meta_table: MetaTable) -> None:
        """Learn a table's keys; the first model of a table decides."""
        self._tables.setdefault(meta_table.table_name, meta_table)


class AppTable(TableConnection):
    """One table, on a connection that may serve others too."""

    def __init__(self, connection: AppConnection, meta_table: MetaTable) -> None:
        # PynamoDB's constructor would open a connection of its own, so it is not called.
        self.table_name = meta_table.table_name
        self.connection = connection
        connection.know(meta_table)
