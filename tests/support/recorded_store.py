"""Loads a database that an earlier release has written: its tables and their items."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session

from flask_pynamodb.local import Engine

_DATA = Path(__file__).parent / "data"
# DynamoDB accepts this many writes at once.
_BATCH = 25


@dataclass(frozen=True)
class RecordedStore:
    """A recorded database; data/write_store_0_4_1.py describes the file.

    Attributes:
        secrets: Passwords, tokens and keys; throwaway values of the recording.
        tables: The responses of DescribeTable and DescribeTimeToLive, and the items, by table.
    """

    secrets: dict[str, Any]
    tables: list[dict[str, Any]]

    @classmethod
    def read(cls, release: str) -> "RecordedStore":
        """Read the database that a release has written."""
        recorded = json.loads((_DATA / f"store-{release}.json").read_text())
        return cls(recorded["secrets"], recorded["tables"])

    def create_tables(self, engine: Engine) -> None:
        """Create the tables with the keys, indexes, billing and time to live of that release."""
        client = _client(engine)
        for recorded in self.tables:
            client.create_table(**_create_request(recorded["Table"]))
            if attribute := recorded["TimeToLiveDescription"].get("AttributeName"):
                client.update_time_to_live(
                    TableName=recorded["Table"]["TableName"],
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
                )

    def load(self, engine: Engine) -> None:
        """Write all items into the tables, unchanged."""
        client = _client(engine)
        puts = [
            (recorded["Table"]["TableName"], {"PutRequest": {"Item": item}})
            for recorded in self.tables
            for item in recorded["Items"]
        ]
        for start in range(0, len(puts), _BATCH):
            batch: dict[str, list[Any]] = {}
            for table, put in puts[start : start + _BATCH]:
                batch.setdefault(table, []).append(put)
            assert not client.batch_write_item(RequestItems=batch)["UnprocessedItems"]


def _create_request(table: dict[str, Any]) -> dict[str, Any]:
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in table.get("GlobalSecondaryIndexes", [])
    ]
    request = {name: table[name] for name in ("TableName", "KeySchema", "AttributeDefinitions")}
    request["BillingMode"] = table["BillingModeSummary"]["BillingMode"]
    return {**request, "GlobalSecondaryIndexes": indexes} if indexes else request


def _client(engine: Engine) -> Any:
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session.create_client("dynamodb", "us-east-1", endpoint_url=engine.host)
