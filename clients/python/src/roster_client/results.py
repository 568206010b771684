"""Results of operations, and the errors that they can be."""

from typing import TypeVar

from .models import Problem

T = TypeVar("T")


class ProblemError(Exception):
    """The service rejected a request.

    Attributes:
        problem: What it answered: `type_`, `title`, `detail`, and the `errors` of fields.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem


def expect(result: T | Problem | None) -> T:
    """Return the result of an operation.

    Args:
        result: What a function of `roster_client.api` returned.

    Raises:
        ProblemError: The service rejected the request.
        ValueError: The result is None, since the operation answers without a body. Use its
            `sync_detailed` or `asyncio_detailed`, which have the status.
    """
    if isinstance(result, Problem):
        raise ProblemError(result)
    if result is None:
        raise ValueError("The response has no body; the function for details has its status.")
    return result
