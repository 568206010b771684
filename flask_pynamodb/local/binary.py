"""Find the binary of the local engine."""

import os
import shutil
from pathlib import Path

from flask_pynamodb.local.process import EngineError

_NAME = "dynoxide"


def find_binary(path: Path | None = None) -> Path:
    """Return the path of the engine's binary.

    Args:
        path: The path of a binary; None to look for `dynoxide` on the PATH.

    Raises:
        EngineError: There is no such executable file.
    """
    if path is not None:
        if not is_executable(path):
            raise EngineError(f"{path} is not an executable file: name a dynoxide binary.")
        return path.absolute()
    if on_path := shutil.which(_NAME):
        return Path(on_path).absolute()
    raise EngineError(
        f"The local engine is not installed: there is no `{_NAME}` on the PATH. Install the npm"
        " package @dynoxide/linux-x64, or name a binary."
    )


def is_executable(path: Path) -> bool:
    """Return whether a path is an executable file."""
    return path.is_file() and os.access(path, os.X_OK)
