"""The ten data operations, described by botocore's service model."""

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
        name: The name, as in `GetItem`.
        target: The value of the header X-Amz-Target.
        fields: The known fields of a response.
        errors: The error codes; for retryable ones whether they are throttling, None for others.
        takes_token: Whether requests have a client token, which makes them idempotent.
    """

    name: str
    target: str
    fields: frozenset[str]
    errors: Mapping[str, bool | None]
    takes_token: bool


def read_operations(service_model: Any) -> dict[str, Operation]:
    """Return the ten operations by name."""
    prefix = service_model.metadata["targetPrefix"]
    models = map(service_model.operation_model, NAMES)
    return {
        model.name: Operation(
            name=model.name,
            target=f"{prefix}.{model.name}",
            fields=frozenset(model.output_shape.members),
            errors={_code(shape): _throttles(shape) for shape in model.error_shapes},
            takes_token="ClientRequestToken" in model.idempotent_members,
        )
        for model in models
    }


def _code(error_shape: Any) -> str:
    return str(error_shape.metadata.get("error", {}).get("code") or error_shape.name)


def _throttles(error_shape: Any) -> bool | None:
    hint = error_shape.metadata.get("retryable")
    return None if hint is None else bool(hint.get("throttling"))
