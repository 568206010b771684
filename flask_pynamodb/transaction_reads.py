"""Read items of several tables as they were at one point in time."""

from collections.abc import Sequence
from typing import Any

from flask_pynamodb.batch import place_of
from flask_pynamodb.state import current_state
from flask_pynamodb.transaction import MAX_OPERATIONS, retry_conflicts


def get_in_transaction(keys: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """See `PynamoDB.get_in_transaction`."""
    places = [place_of(model, parts) for model, *parts in keys]
    # DynamoDB rejects a transaction that reads one item twice.
    wanted = {place: key for _, place, key in places}
    if len(wanted) > MAX_OPERATIONS:
        raise ValueError(
            f"A transaction reads at most {MAX_OPERATIONS} items, not {len(wanted)}: split it, or"
            " use db.get_many(), which is not atomic."
        )
    connections = {id(connection): connection for connection, _, _ in places}
    if len(connections) > 1:
        raise ValueError("A transaction cannot span databases: read those of each one separately.")
    if not places:
        return ()
    ((connection),) = connections.values()
    requests = [{"TableName": table, "Key": key} for (table, _), key in wanted.items()]
    backoff = current_state().bind(keys[0][0].__bind_key__).values["BASE_BACKOFF_MS"]
    answer = retry_conflicts(lambda: connection.transact_get_items(requests), backoff)
    items = dict(zip(wanted, (one.get("Item") for one in answer["Responses"]), strict=True))
    return tuple(
        None if items[place] is None else model.from_raw_data(items[place])
        for (model, *_), (_, place, _) in zip(keys, places, strict=True)
    )
