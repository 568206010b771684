"""Which partition keys the calls of a service read and write, and how many units each takes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import botocore.session

from flask_pynamodb.local import Engine
from models import db

# A resource is a table, or an index of one as `table/index`.
Key = tuple[str, str]
_KEY_CONDITION = re.compile(r"^\(?(#\w+|\w+) = (:\w+)")
_WRITES = ("Put", "Update", "Delete", "ConditionCheck")


@dataclass
class Heat:
    """Units by resource and partition key.

    Attributes:
        writes: Write units.
        reads: Read units.
    """

    writes: dict[Key, float] = field(default_factory=lambda: defaultdict(float))
    reads: dict[Key, float] = field(default_factory=lambda: defaultdict(float))


class HeatRecorder:
    """Records the calls of the current database, for items of up to 1 KB.

    Args:
        engine: The engine of the database, which is asked for items to learn their index keys.
    """

    def __init__(self, engine: Engine) -> None:
        self._client = botocore.session.get_session().create_client(
            "dynamodb",
            region_name="us-east-1",
            endpoint_url=engine.host,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        self._tables = {
            name: self._describe(name) for name in self._client.list_tables()["TableNames"]
        }
        self.heat = Heat()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record the calls of the block."""
        sender: Any = db.connection.client
        send = sender._make_api_call

        def record(operation: str, request: dict[str, Any]) -> Any:
            answer = send(operation, request)
            self._record(operation, request, answer)
            return answer

        sender._make_api_call = record
        try:
            yield
        finally:
            del sender._make_api_call

    def _describe(self, name: str) -> Mapping[str, str]:
        """Return the partition key of a table, and of each of its indexes by `/index`."""
        table = self._client.describe_table(TableName=name)["Table"]
        indexes = table.get("GlobalSecondaryIndexes", [])
        return {
            "": table["KeySchema"][0]["AttributeName"],
            **{f"/{each['IndexName']}": each["KeySchema"][0]["AttributeName"] for each in indexes},
        }

    def _record(self, operation: str, request: dict[str, Any], answer: dict[str, Any]) -> None:
        if operation == "TransactWriteItems":
            for write in request["TransactItems"]:
                kind = next(iter(write))
                self._write(write[kind], units=2, is_copied=kind != "ConditionCheck")
        elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
            self._write(request, units=1, is_copied=True)
        elif operation == "GetItem":
            self._read(request["TableName"], request["Key"], request.get("ConsistentRead"))
        elif operation == "BatchGetItem":
            for table, part in request["RequestItems"].items():
                for key in part["Keys"]:
                    self._read(table, key, part.get("ConsistentRead"))
        elif operation == "Query":
            self._query(request, answer)

    def _write(self, write: dict[str, Any], *, units: float, is_copied: bool) -> None:
        table = write["TableName"]
        keys = self._tables[table]
        item = write.get("Item") or write["Key"]
        self.heat.writes[table, _text(item[keys[""]])] += units
        if is_copied and len(keys) > 1:
            stored = write.get("Item") or self._stored(table, write["Key"])
            for index, attribute in keys.items():
                if index and attribute in stored:
                    self.heat.writes[table + index, _text(stored[attribute])] += 1

    def _stored(self, table: str, key: dict[str, Any]) -> dict[str, Any]:
        item: dict[str, Any] = self._client.get_item(TableName=table, Key=key).get("Item", {})
        return item

    def _read(self, table: str, key: dict[str, Any], is_consistent: bool | None) -> None:
        attribute = self._tables[table][""]
        self.heat.reads[table, _text(key[attribute])] += 1 if is_consistent else 0.5

    def _query(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        condition = _KEY_CONDITION.match(request["KeyConditionExpression"])
        assert condition, request["KeyConditionExpression"]  # nosec B101 - a bench
        value = request["ExpressionAttributeValues"][condition[2]]
        index = f"/{request['IndexName']}" if "IndexName" in request else ""
        units = answer["ConsumedCapacity"]["CapacityUnits"]
        self.heat.reads[request["TableName"] + index, _text(value)] += units


def _text(value: Mapping[str, Any]) -> str:
    return str(next(iter(value.values())))
