"""The routes of health checks."""

from typing import Any

from flask_restx import Resource

from api.health.schemas import health, state
from api.openapi.annotations import error_responses
from api.serialization import marshal_with
from models import db

_SECONDS = 2.0


@health.route("/live")
class Live(Resource):
    @health.doc("check_live", security=[])
    @marshal_with(state, description="The process responds")
    def get(self) -> Any:
        """Check that the process responds

        It does not call DynamoDB: restart a process only if this fails.
        """
        return {"status": "ok"}


@health.route("/ready")
class Ready(Resource):
    @health.doc("check_ready", security=[])
    @error_responses("busy", "store-unavailable")
    @marshal_with(state, description="DynamoDB and every table respond")
    def get(self) -> Any:
        """Check that DynamoDB and every table respond

        Send no requests to a process while this is 503.
        """
        # A load balancer waits some seconds only, and this lane has one thread.
        with db.deadline(_SECONDS):
            db.ping()
        return {"status": "ok"}
