"""Find the local engine of this project, in tools/local-dynamodb.

dynoxide, an npm package, has a binary for Linux on x86-64 only. On other machines ministack takes
its place, a Python package with an environment of its own.
"""

import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_pynamodb.local import Engine, EngineError, find_binary, running_engine

_INSTALLED = Path("tools/local-dynamodb/node_modules/@dynoxide/linux-x64/dynoxide")
_FALLBACK = Path("tools/local-dynamodb/fallback/engine")
# The tables of each engine in a data folder.
_TABLES = ("dynamodb.sqlite", "ministack")
FALLBACK_NOTICE = (
    "The engine is ministack, since dynoxide has no binary for this machine: it is slower, and"
    " stores changes when it is stopped; if it is killed, they are lost."
)
# A checkout is found from any current folder; an installed package finds the project around it.
_PROJECTS = (Path(__file__).absolute().parents[2], Path())


def find_engine(named: str | None = None) -> Path:
    """Return the path of the engine's binary.

    The binary of DYNAMODB_ENGINE takes precedence, then the npm package of the project or of the
    current folder, then its fallback engine, then `dynoxide` on the PATH.

    Args:
        named: The value of DYNAMODB_ENGINE.

    Raises:
        EngineError: There is none, or DYNAMODB_ENGINE is not an executable file.
    """
    if named:
        try:
            return find_binary(Path(named))
        except EngineError as error:
            raise EngineError(f"DYNAMODB_ENGINE={error}") from None
    for project in _PROJECTS:
        if (installed := project / _INSTALLED).is_file():
            return find_binary(installed)
    for project in _PROJECTS:
        if (project / _FALLBACK.parent / ".venv").is_dir():
            return find_binary(project / _FALLBACK)
    try:
        return find_binary()
    except EngineError:
        raise EngineError(f"The local engine is not installed: {_advice()}.") from None


def local_engine(
    data: Path | None = None,
    *,
    named: str | None = None,
    port: int | None = None,
    on_exit: Callable[[str], None] | None = None,
) -> Engine:
    """Return the local engine of this project; it is not started.

    Args:
        data: The folder of the tables; None for tables in memory.
        named: The value of DYNAMODB_ENGINE.
        port: The port to listen on; None for a free one.
        on_exit: Called with one line of text if the engine ends without `stop()`.

    Raises:
        EngineError: There is no binary.
    """
    return Engine(data, binary=find_engine(named), port=port, on_exit=on_exit)


def is_fallback(engine: Path) -> bool:
    """Return whether an engine is the one that takes dynoxide's place."""
    return engine.parts[-len(_FALLBACK.parts) :] == _FALLBACK.parts


@contextmanager
def engine_of(data: Path, *, named: str | None = None, host: str | None = None) -> Iterator[str]:
    """Yield the URL of the engine of a data folder: the running one, else one for this block.

    Args:
        data: The data folder of an earlier `roster serve --local`.
        named: The value of DYNAMODB_ENGINE.
        host: The value of DYNAMODB_HOST, which takes the place of an engine.

    Raises:
        EngineError: There are no tables in the folder, or the engine does not start.
    """
    if url := host or running_engine(data):
        yield url
        return
    if not any((data / tables).exists() for tables in _TABLES):
        raise EngineError(
            f"There is no data in {data}: run `make run` or `roster serve --local` first, or name"
            " another folder with --data."
        )
    with local_engine(data, named=named) as engine:
        yield engine.host


def _advice() -> str:
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return "run `npm ci --prefix tools/local-dynamodb` (`make run` does it)"
    return (
        "run `make fallback-engine` (`make run` does it), or set DYNAMODB_HOST to a DynamoDB Local"
        " or DYNAMODB_ENGINE to a dynoxide binary"
    )
