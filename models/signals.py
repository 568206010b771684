"""Signals for apps that embed Roster; they import them as `roster.signals`.

Each is sent when the change is committed, in the process and the thread that made it. A receiver
cannot undo the change, and its errors are logged only.
"""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from blinker import NamedSignal, Namespace

log = logging.getLogger("roster.signals")

_signals = Namespace()

user_registered = _signals.signal(
    "user-registered", "A user was registered or imported. `registration` is a `Registration`."
)
user_updated = _signals.signal("user-updated", "A user was updated. `update` is an `Update`.")
user_deleted = _signals.signal("user-deleted", "A user was deleted. `deletion` is a `Deletion`.")
session_opened = _signals.signal("session-opened", "A user signed in. `sign_in` is a `SignIn`.")


def emit(signal: NamedSignal, build: Callable[[], dict[str, Any]]) -> None:
    """Call the receivers of a signal, if it has any; log their errors.

    Args:
        signal: The signal.
        build: Returns what the receivers get; called only if there are any.
    """
    if not signal.receivers:
        return
    values = build()
    for receiver in signal.receivers_for(None):
        try:
            result = receiver(None, **values)
        # Also of SystemExit, which would end the thread without a word.
        except (Exception, SystemExit):
            log.exception("signal %s: a receiver failed", signal.name)
            continue
        if inspect.iscoroutine(result):
            result.close()
            log.error("signal %s: a receiver is asynchronous and was not run", signal.name)
