"""The local engine of the tests."""

import os
from typing import Any

from flask_pynamodb.local import Engine
from roster.local import engine


def local_engine(data: Any = None, **options: Any) -> Engine:
    """Return the engine of this project, or the one in DYNAMODB_ENGINE; it is not started."""
    return engine.local_engine(data, named=os.environ.get("DYNAMODB_ENGINE"), **options)
