"""The module with the functions of an operator: found, imported and checked once, at the start."""

import importlib
import inspect
import os
import sys
import traceback
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from models import HOOK_ARGUMENTS, HookFunction, HookName
from roster.config.parsing import SettingError

_VARIABLE = "ROSTER_HOOKS"
_PREFIXES = ("before_", "after_")
_MAX_REASON = 200


def read_hooks(name: str | None) -> Mapping[HookName, HookFunction]:
    """Return the functions of a module by their names; without a module there are none.

    Raises:
        SettingError: The module cannot be imported, or has no function that would be called, or
            one that would not.
    """
    return {} if name is None else _functions(_import(name))


def _import(name: str) -> ModuleType:
    try:
        with _without_working_directory():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # The name of a package of the module, or of what the module itself imports.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise SettingError(_failure(name, error)) from None
        raise SettingError(
            f"{_VARIABLE}: there is no module {error.name}. Install it, or add its folder to"
            " PYTHONPATH; the working directory is not searched."
        ) from None
    # A module can also exit.
    except (Exception, SystemExit) as error:
        raise SettingError(_failure(name, error)) from None


@contextmanager
def _without_working_directory() -> Iterator[None]:
    """Take the working directory off the search path, unless PYTHONPATH names it.

    Python puts it there with `python -m`, and a service must not run what lies around where it is
    started.
    """
    here = Path.cwd()
    named = [Path(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = sys.path[:]
    if here not in [entry.resolve() for entry in named]:
        sys.path[:] = [entry for entry in path if entry and Path(entry).resolve() != here]
    try:
        yield
    finally:
        sys.path[:] = path


def _failure(name: str, error: BaseException) -> str:
    """Return what happened when a module was imported, in one line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:_MAX_REASON].rstrip(": .")
    # The last line of a file: `<frozen os>` and others tell nothing about the module.
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<")
    ]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    return f"{_VARIABLE}: importing {name} failed: {reason} ({place})."


def _functions(module: ModuleType) -> Mapping[HookName, HookFunction]:
    """Return the functions of a module, after checking all of them.

    Raises:
        SettingError: There is none, or something is wrong; the text names all faults.
    """
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    known = {name: public[name] for name in HookName if name in public}
    faults = [fault for name, function in known.items() for fault in _faults(name, function)]
    faults += [_unknown(name) for name, value in public.items() if _is_misspelled(name, value)]
    if not known and not faults:
        faults = [f"it has none of the functions {', '.join(HookName)}"]
    if faults:
        raise SettingError(f"{_VARIABLE}: {module.__name__} is not accepted: {'; '.join(faults)}.")
    return known


def _faults(name: HookName, function: Any) -> Iterator[str]:
    if not callable(function) or inspect.isclass(function):
        yield f"{name} is no function"
        return
    if _is_deferred(function) or _is_deferred(getattr(function, "__call__", None)):  # noqa: B004
        yield f"{name} is asynchronous or a generator: write it with `def`, without `yield`"
        return
    argument = HOOK_ARGUMENTS[name]
    try:
        bound = inspect.signature(function).bind(argument)
    except (TypeError, ValueError):
        yield f"{name} must take one argument, the {argument.__name__}"
        return
    annotated = _annotation(function, next(iter(bound.arguments), ""))
    if annotated in HOOK_ARGUMENTS.values() and annotated is not argument:
        yield f"{name} gets a {argument.__name__}, and expects a {annotated.__name__}"


def _is_deferred(function: Any) -> bool:
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    )
    return any(is_kind(function) for is_kind in kinds)


def _annotation(function: Any, parameter: str) -> Any:
    """Return the type of a parameter, None if it cannot be known."""
    try:
        return typing.get_type_hints(function).get(parameter)
    # Annotations are only evaluated here, and may name what only type checkers import.
    except Exception:
        return None


def _is_misspelled(name: str, value: Any) -> bool:
    if name in list(HookName) or not callable(value) or inspect.isclass(value):
        return False
    return name.startswith(_PREFIXES) or bool(_nearest(name))


def _unknown(name: str) -> str:
    nearest = _nearest(name)
    hint = f"did you mean {nearest[0]}?" if nearest else "begin the names of others with `_`"
    return f"{name} is never called: {hint}"


def _nearest(name: str) -> list[str]:
    return get_close_matches(name.lower(), list(HookName), n=1, cutoff=0.8)
