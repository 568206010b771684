"""The local engine of the benchmarks."""

import os
from pathlib import Path

from flask_pynamodb.local import Engine
from roster.local import engine


def find_engine() -> Path:
    """Return the path of the engine's binary; DYNAMODB_ENGINE takes precedence.

    Raises:
        EngineError: There is no binary.
    """
    return engine.find_engine(os.environ.get("DYNAMODB_ENGINE"))


def local_engine(data: Path | None = None) -> Engine:
    """Return the engine of this project, or the one in DYNAMODB_ENGINE; it is not started."""
    return engine.local_engine(data, named=os.environ.get("DYNAMODB_ENGINE"))
