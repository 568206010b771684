"""The schema of health checks."""

from flask_restx import Namespace

from api.fields import Text

health = Namespace("health", "Liveness and readiness checks for load balancers", path="/health")

state = health.model(
    "Health", {"status": Text(required=True, description="Always `ok`", enum=["ok"])}
)
