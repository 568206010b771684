"""The routes of invitations."""

from typing import Any

from flask import url_for
from flask_restx import Resource

from api import services
from api.auth import Principal, anonymous_actor, right_required
from api.errors import pointers_in
from api.etags import with_etag
from api.idempotency import idempotent
from api.lanes import hashes_password
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT, decode_cursor, page_response
from api.rate_limits import EMAILED_TOKENS, INVITATIONS, limit_user, rate_limited
from api.responses import no_content
from api.schemas import user
from api.serialization import marshal_with
from api.v1.invitations.schemas import (
    INVITATION_ID,
    acceptance,
    invitation,
    invitation_page,
    invitations,
    new_invitation,
)
from api.validation import body, query
from models import IdempotentRequest, Right, strongest_role

_ITS_ID = {"invitation_id": "$response.body#/id"}
_ONE = ("get_invitation", "resend_invitation", "revoke_invitation")
_OF_PATH = {"invitation_id": "$request.path.invitation_id"}
_OF_FIRST = {"invitation_id": "$response.body#/items/0/id"}
_OF_NEW_USER = {"id": "$response.body#/id"}


def _faults_of_new_invitation(accepted: dict[str, Any]) -> list[tuple[str, str]]:
    faults = services.invitations.faults_of(accepted)
    return [pair for fault in faults for pair in pointers_in(fault)]


@invitations.route("")
class Invitations(Resource):
    @invitations.doc("create_invitation")
    @right_required(Right.ADMINISTER, api_keys=True)
    @body(new_invitation, rules=_faults_of_new_invitation)
    @idempotent("create_invitation")
    @error_responses("email-taken", "already-invited", "external-id-taken")
    @error_responses("mail-not-configured", "too-many-requests", "fresh-sign-in-required")
    @links(201, dict.fromkeys(_ONE, _ITS_ID))
    @headers("Location")
    @marshal_with(invitation, code=201, description="The invitation, which is emailed")
    def post(
        self, caller: Principal, payload: dict[str, Any], repeatable: IdempotentRequest | None
    ) -> Any:
        """Invite an email address

        For admins only. The email has a link with a token, which is shown nowhere else. A role with
        rights over other accounts requires recent authentication, or the scope `accounts` of an API
        key. Only the response says that a user has the address already: no email is sent then. An
        admin sends up to 500 invitations an hour (`ROSTER_LIMIT_INVITATIONS`).
        """
        if strongest_role(payload.get("roles", ())):
            caller.require_account_control()
        limit_user(INVITATIONS, caller.id)
        created = services.invitations.create(**payload, by=caller.actor, request=repeatable)
        location = url_for("invitations_invitation_item", invitation_id=created.id)
        return created, 201, {"Location": location}

    @invitations.doc("list_invitations")
    @right_required(Right.READ, api_keys=True)
    @query({"limit": LIMIT, "cursor": CURSOR})
    @error_responses("invalid-cursor")
    @links(
        200,
        {
            "list_invitations": {"query.cursor": "$response.body#/next_cursor"},
            **dict.fromkeys(_ONE, _OF_FIRST),
        },
    )
    @headers("Link")
    @marshal_with(invitation_page, description="One page of invitations")
    def get(self, caller: Principal, limit: int = 25, cursor: str | None = None) -> Any:
        """List invitations

        For admins, support and auditors, newest first: those that are pending, and those that have
        expired within the last 30 days. An invitation appears in the list after about a second.
        """
        found, after = services.invitations.newest_first(
            after=decode_cursor(cursor, {}), limit=limit
        )
        return page_response(found, after, {}, limit)


# An ID has 36 characters, so that `accept` is none: it has one method only.
@invitations.route("/<string(length=36):invitation_id>")
@invitations.doc(params=INVITATION_ID)
class InvitationItem(Resource):
    @invitations.doc("get_invitation")
    @right_required(Right.READ, api_keys=True)
    @error_responses("invitation-not-found")
    @links(200, dict.fromkeys(("resend_invitation", "revoke_invitation"), _OF_PATH))
    @marshal_with(invitation, description="The invitation")
    def get(self, invitation_id: str, caller: Principal) -> Any:
        """Read an invitation

        For admins, support and auditors.
        """
        return services.invitations.get(invitation_id)

    @invitations.doc("revoke_invitation")
    @right_required(Right.ADMINISTER, api_keys=True)
    @error_responses("invitation-not-found", "forbidden")
    @invitations.response(204, "The invitation is revoked")
    def delete(self, invitation_id: str, caller: Principal) -> Any:
        """Revoke an invitation

        For admins only. Its token is void at once, and the address can be invited again.
        """
        services.invitations.revoke(invitation_id, by=caller.actor)
        return no_content()


@invitations.route("/<invitation_id>/resend")
@invitations.doc(params=INVITATION_ID)
class InvitationResend(Resource):
    @invitations.doc("resend_invitation")
    @right_required(Right.ADMINISTER, api_keys=True)
    @error_responses("invitation-not-found", "invitation-outdated", "email-taken")
    @error_responses("already-invited", "external-id-taken", "mail-not-configured")
    @error_responses("too-many-requests", "fresh-sign-in-required")
    @links(200, dict.fromkeys(("get_invitation", "revoke_invitation"), _OF_PATH))
    @marshal_with(invitation, description="The invitation, which is emailed again")
    def post(self, invitation_id: str, caller: Principal) -> Any:
        """Send an invitation again

        For admins only. The new email has a new token, the older one is void, and the invitation
        expires later. From now on it counts while the caller is an active admin, which also revives
        invitations of former admins. A role with rights over other accounts requires recent
        authentication, or the scope `accounts` of an API key.
        """
        found = services.invitations.get(invitation_id)
        if strongest_role(found.roles):
            caller.require_account_control()
        limit_user(INVITATIONS, caller.id)
        return services.invitations.resend(found, by=caller.actor)


@invitations.route("/accept")
class InvitationAcceptance(Resource):
    @hashes_password
    @invitations.doc("accept_invitation", security=[])
    @body(acceptance)
    # The key of a caller who is not signed in counts together with the body.
    @idempotent("accept_invitation", has_body=False)
    @rate_limited(EMAILED_TOKENS)
    @error_responses("invalid-token", "invitation-outdated", "username-taken", "email-taken")
    @error_responses("hook-failed")
    @links(201, dict.fromkeys(("get_user", "update_user", "delete_user"), _OF_NEW_USER))
    @headers("Location")
    @marshal_with(user, code=201, description="The new user")
    @with_etag
    def post(self, payload: dict[str, Any], repeatable: IdempotentRequest | None) -> Any:
        """Accept an invitation with the emailed token

        Creates the user, whose email address counts as verified; it signs in with
        `POST /v1/sessions`. Open to every caller with the token, also while sign-up is closed. Two
        requests with one token create one user. A rejected request changes nothing, and the token
        stays valid.
        """
        accepted = services.invitations.accept(**payload, by=anonymous_actor(), request=repeatable)
        return accepted, 201, {"Location": url_for("users_user_item", id=accepted.id)}
