"""A clock that tests set."""

from datetime import datetime, timedelta

from models.clock import now


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = now()

    def __call__(self) -> datetime:
        return self.time

    def move(self, **duration: float) -> None:
        """Move it ahead, as in `move(hours=24)`."""
        self.time += timedelta(**duration)
