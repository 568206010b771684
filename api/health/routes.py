"""For load balancers: is the process alive, and can it serve."""

from typing import Any

from flask_restx import Namespace, Resource

from api.fields import Text
from api.openapi.annotations import problems
from api.serialization import marshal_with
from models import db

health = Namespace("health", "For load balancers: alive, and able to serve", path="/health")

state = health.model(
    "Health", {"status": Text(required=True, description="Always `ok`", enum=["ok"])}
)


@health.route("/live")
class Live(Resource):
    @health.doc("check_live", security=[])
    @marshal_with(state, description="The process answers")
    def get(self) -> Any:
        """Say that the process answers

        It asks nothing of DynamoDB: restart a process only if this fails.
        """
        return {"status": "ok"}


@health.route("/ready")
class Ready(Resource):
    @health.doc("check_ready", security=[])
    @problems("store-unavailable")
    @marshal_with(state, description="DynamoDB and every table answer")
    def get(self) -> Any:
        """Say that DynamoDB and every table answer

        Send no requests to a process while this is 503.
        """
        db.ping()
        return {"status": "ok"}
