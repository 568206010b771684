"""Counts: how many users there are, and what happened in the last days."""

from flask import Response

from api import services
from api.principal import Principal
from models import Right
from web.guards import page_for_users
from web.html import page

_DAYS = 30
# The rows of sums.
_PERIODS = (7, _DAYS)


@page_for_users(right=Right.READ)
def show(caller: Principal) -> Response:
    """Show the number of users, the sums of a week and of a month, and each day."""
    counts = services.statistics.read(_DAYS)
    return page(
        "admin/statistics.html",
        caller=caller,
        users=counts.users,
        periods=[(days, counts.total(days)) for days in _PERIODS],
        days=counts.days,
        most=max(day.sign_ins for day in counts.days),
    )
