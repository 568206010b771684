"""The route of statistics."""

from typing import Any

from flask_restx import Resource

from api import services
from api.auth import Principal, right_required
from api.serialization import marshal_with
from api.v1.statistics.schemas import DAYS, counts, statistics
from api.validation import query
from models import Right


@statistics.route("")
class Statistics(Resource):
    @statistics.doc("get_statistics")
    @right_required(Right.READ, api_keys=True)
    @query({"days": DAYS})
    @marshal_with(counts, description="The counts")
    def get(self, caller: Principal, days: int = 30) -> Any:
        """Count users, sign-ups and sign-ins

        For admins, support and auditors. The cost does not depend on the number of users. The last
        seconds of today are missing: each process adds its numbers every few seconds.
        """
        return services.statistics.read(days)
