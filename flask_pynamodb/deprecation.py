"""Deprecated names of arguments, accepted for one more release."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def renamed_argument(
    **names: str,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Accept former names of keyword arguments with a `DeprecationWarning`.

    Args:
        names: The current names by the former ones.
    """

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(function)
        def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
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

        return call

    return decorate
