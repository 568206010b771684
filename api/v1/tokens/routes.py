"""The route of access tokens."""

from typing import Any

from flask_restx import Resource

from api.auth import Principal, signed_in
from api.openapi.annotations import error_responses
from api.serialization import marshal_with
from api.services import access_tokens, introspection
from api.v1.tokens.schemas import access_token, new_access_token, tokens
from api.validation import body


@tokens.route("")
class Tokens(Resource):
    @tokens.doc("create_access_token")
    @signed_in(api_keys=True, writes=False)
    @body(new_access_token)
    @error_responses("unknown-audience", "forbidden")
    @marshal_with(access_token, code=201, description="The access token")
    def post(self, caller: Principal, payload: dict[str, Any]) -> Any:
        """Create an access token for another service

        By a session or an API key with roles. Roles can only be left out. The email address and
        the username are in the token if the client of the audience has the scope `email`. Nothing
        is stored: the token cannot be revoked.
        """
        active = introspection.active(
            caller.user, session=None if caller.key else caller.session, key=caller.key
        )
        issued = access_tokens.issue(active, **payload)
        return {
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.expires_in,
            "audience": issued.audience,
        }, 201
