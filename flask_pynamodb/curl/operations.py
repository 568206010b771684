"""The ten operations on data, and what botocore's model of the service says about each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAMES = (
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: As in `GetItem`.
        target: What the header X-Amz-Target says.
        members: What an answer may consist of.
        errors: The codes of its errors; for those that are worth another try, whether they
            are throttling, for all others None.
        wants_token: Whether requests carry a token that makes it harmless to repeat them.
    """

    name: str
    target: str
    members: frozenset[str]
    errors: Mapping[str, bool | None]
    wants_token: bool


def read_operations(service_model: Any) -> dict[str, Operation]:
    """All ten by their names."""
    prefix = service_model.metadata["targetPrefix"]
    models = map(service_model.operation_model, NAMES)
    return {
        model.name: Operation(
            name=model.name,
            target=f"{prefix}.{model.name}",
            members=frozenset(model.output_shape.members),
            errors={_code(shape): _throttles(shape) for shape in model.error_shapes},
            wants_token="ClientRequestToken" in model.idempotent_members,
        )
        for model in models
    }


def _code(error_shape: Any) -> str:
    return str(error_shape.metadata.get("error", {}).get("code") or error_shape.name)


def _throttles(error_shape: Any) -> bool | None:
    hint = error_shape.metadata.get("retryable")
    return None if hint is None else bool(hint.get("throttling"))
