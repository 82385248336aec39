"""Threads for what may hang: nobody has to wait for their end, not even the exit of the process."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

_Result = TypeVar("_Result")
_Arguments = ParamSpec("_Arguments")


def in_background(
    function: Callable[_Arguments, _Result], *arguments: _Arguments.args, **named: _Arguments.kwargs
) -> Future[_Result]:
    """Calls a function in a daemon thread of its own; the future has what it returns or raises.

    An executor's threads are joined at exit, so that one that hangs would hold the process for ever.
    """
    future: Future[_Result] = Future()
    threading.Thread(target=lambda: fulfil(future, function, *arguments, **named), daemon=True).start()
    return future


def fulfil(
    future: Future[_Result],
    function: Callable[_Arguments, _Result],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> None:
    """Calls a function here; a future that others wait for has what it returns or raises."""
    try:
        future.set_result(function(*arguments, **named))
    except BaseException as error:
        future.set_exception(error)
