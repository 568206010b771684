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


class Observers:
    """Calls several observers, in their order.

    Args:
        observers: The observers; without one, nothing is measured.
    """

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def served(
        self, environ: dict[str, Any], status: int, *, lane: str, waited: float, seconds: float
    ) -> None:
        """Pass a response of the app on; see `Observer`."""
        for each in self._observers:
            each.served(environ, status, lane=lane, waited=waited, seconds=seconds)

    def responded(self, method: str, route: str, status: int) -> None:
        """Pass a response of the front on; see `Observer`."""
        for each in self._observers:
            each.responded(method, route, status)

    def rejected(self, method: str, status: int, problem: str) -> None:
        """Pass an error response of the front on; see `Observer`."""
        for each in self._observers:
            each.rejected(method, status, problem)
