"""The options of a run of migrations, apart from it: importing the extension needs no more."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from flask_pynamodb.migrations.status import MigrationStatus


@dataclass(frozen=True)
class Options:
    """The options of a run; see `PynamoDB.migrate`."""

    dry_run: bool = False
    limit: int | None = None
    units_per_second: float | None = None
    segments: int = 1
    batch_size: int = 100
    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[MigrationStatus], None] = lambda status: None

    def __post_init__(self) -> None:
        bounds = {
            "limit": (self.limit, 1, math.inf),
            "units_per_second": (self.units_per_second, 1, math.inf),
            "segments": (self.segments, 1, 32),
            "batch_size": (self.batch_size, 1, 1000),
        }
        for name, (value, least, most) in bounds.items():
            if value is not None and not least <= value <= most:
                to = f" to {most}" if most < math.inf else " or more"
                raise ValueError(f"{name} must be {least}{to}, not {value}.")
