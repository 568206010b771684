"""The actions of a page: each form names its action in the field `do`."""

from collections.abc import Callable, Mapping

from flask import Response, request
from werkzeug.exceptions import BadRequest

from api.principal import Principal

Action = Callable[[Principal], Response]


def act(caller: Principal, actions: Mapping[str, Action]) -> Response | None:
    """Carry out the action of the form that was sent; None if the page was opened.

    Args:
        caller: The user.
        actions: The actions by their names.

    Raises:
        BadRequest: The form names none of them.
    """
    if request.method != "POST":
        return None
    action = actions.get(request.form.get("do", ""))
    if action is None:
        raise BadRequest
    return action(caller)
