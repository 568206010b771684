"""Deprecated names of arguments, accepted for one more release."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def renamed_argument(**names: str) -> Callable[[Function], Function]:
    """Accept former names of keyword arguments with a `DeprecationWarning`.

    Args:
        names: The current names by the former ones.
    """

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for former, current in names.items():
                if former in kwargs:
                    warnings.warn(
                        f"The argument {former} of {function.__name__} is now {current}; the old"
                        " name will be removed.",
                        DeprecationWarning,
                        stacklevel=2,
                    )
                    kwargs[current] = kwargs.pop(former)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
