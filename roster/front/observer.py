"""What measures the responses of a front."""

from typing import Any, Protocol


class Observer(Protocol):
    """Is called with each response, in the event loop or in a thread of a lane."""

    def served(
        self, environ: dict[str, Any], status: int, *, lane: str, waited: float, seconds: float
    ) -> None:
        """Observe a response of the app.

        Args:
            environ: The WSGI environment of the request.
            status: The status of the response.
            lane: The lane of the request.
            waited: Seconds that the request waited for a thread.
            seconds: Seconds from the complete request to the response.
        """

    def responded(self, method: str, route: str, status: int) -> None:
        """Observe a response of the front itself that is not an error."""

    def rejected(self, method: str, status: int, problem: str) -> None:
        """Observe an error response of the front itself."""


class NoObserver:
    """Measures nothing."""

    def served(
        self, environ: dict[str, Any], status: int, *, lane: str, waited: float, seconds: float
    ) -> None:
        """Do nothing."""

    def responded(self, method: str, route: str, status: int) -> None:
        """Do nothing."""

    def rejected(self, method: str, status: int, problem: str) -> None:
        """Do nothing."""
