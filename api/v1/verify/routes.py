"""The route that gateways ask before they forward a request."""

from typing import Any

from flask import Flask, Response, g
from flask_restx import Resource

from api.errors import RequestError
from api.openapi.annotations import error_responses, headers
from api.principal import bearer_token
from api.services import access_tokens, introspection, rules
from api.v1.verify.schemas import AUDIENCE, REQUIRED_ROLE, SECOND_FACTOR, verify
from api.validation import query
from models import ActiveToken
from models.errors import Unauthenticated

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# What the gateway copies to the service. Each of them is always sent: a gateway that copies only
# the fields that it finds would let the client's own ones through (GHSA-7r4p-vjf4-gxv4).
HEADERS = (
    "X-User-Id",
    "X-User-Name",
    "X-User-Roles",
    "X-User-Email-Verified",
    "X-Session-Id",
    "X-Auth-Methods",
    "X-Access-Token",
)


def init_app(app: Flask) -> None:
    """Add the URLs for gateways that keep the method and the path of the request."""
    app.add_url_rule("/v1/verify/<path:path>", "verify-path", _verify_path, methods=_METHODS)


@verify.route("")
class Verify(Resource):
    @verify.doc("verify_request", security="bearerAuth")
    @query({"role": REQUIRED_ROLE, "second_factor": SECOND_FACTOR, "audience": AUDIENCE})
    @error_responses("unauthenticated", "forbidden", "second-factor-missing", "unknown-audience")
    @error_responses("busy", "store-unavailable")
    @headers(*HEADERS)
    @verify.response(200, "The request is authenticated; the header fields tell the user")
    def get(
        self,
        role: str | None = None,
        second_factor: str | None = None,
        audience: str | None = None,
    ) -> Any:
        """Verify the token of a request for a gateway

        Reads `Authorization` only: bodies and other header fields are ignored. The response has no
        body, and always all of its header fields, empty where there is no value: an API key has no
        `X-Session-Id`, and without `audience` there is no `X-Access-Token`. Any path below does the
        same with every method, for gateways that keep the path and the method of the request;
        there, query parameters are ignored.
        """
        if role is not None:
            rules.roles.require_filter(role)
        return _respond(role, second_factor, audience)


def _verify_path(path: str) -> Response:
    # The query is the client's, which must not be taken for the gateway's.
    return _respond(None, None, None)


def _respond(role: str | None, second_factor: str | None, audience: str | None) -> Response:
    found = introspection.authenticate(bearer_token())
    if found is None:
        raise Unauthenticated
    # The caller, for the log and the audit events of rejected requests.
    g.caller = found
    if role and role not in found.roles:
        raise RequestError("forbidden", f"This requires the role {role}.")
    if second_factor and not found.used_second_factor:
        raise RequestError(
            "second-factor-missing", "This requires a session that has used a second factor."
        )
    access_token = access_tokens.issue(found, audience).token if audience else ""
    values = [*_values(found), access_token]
    response = Response(status=200, headers=dict(zip(HEADERS, values, strict=True)))
    del response.headers["Content-Type"]
    response.vary.add("Authorization")
    return response


def _values(token: ActiveToken) -> list[str]:
    """Return the values of `HEADERS` without the last one, all of them ASCII."""
    return [
        token.user.id,
        token.user.username or "",
        ",".join(token.roles),
        "true" if token.user.email_verified else "false",
        token.session.id if token.session else "",
        ",".join(token.session.methods) if token.session else "",
    ]
