"""The parameters of verification."""

from typing import Any

from flask_restx import Namespace

from api.schemas import ROLE, text_schema
from models import field_rules

verify = Namespace(
    "verify",
    "Verify requests for a gateway (forward authentication): nginx, Caddy, Traefik or Envoy asks"
    " before it forwards a request to a service, which gets the user in header fields.",
    path="/v1/verify",
)

REQUIRED_ROLE: dict[str, Any] = {
    **ROLE,
    "description": "Respond 403 unless the caller has this role.",
}
AUDIENCE: dict[str, Any] = text_schema(
    field_rules.AUDIENCE,
    description="Also return an access token for the client with this audience, in"
    " `X-Access-Token`.",
)
SECOND_FACTOR: dict[str, Any] = {
    "type": "string",
    "enum": ["1"],
    "description": "Respond 403 unless a second factor was verified.",
}
