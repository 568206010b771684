"""The routes of moves."""

from collections.abc import Container
from typing import Any

from flask_restx import Resource

from api.auth import Principal, right_required
from api.etags import preconditions, with_etag
from api.idempotency import idempotent
from api.openapi.annotations import error_responses, links
from api.schemas import USER_ID, user
from api.serialization import marshal_with
from api.services import name_moves
from api.v1.moves.schemas import moves, name_move
from api.validation import body
from models import IdempotentRequest, Move, Right

_ITS_ID = {"id": "$response.body#/id"}


@moves.route("/<id>/moves")
@moves.doc(params=USER_ID)
class Moves(Resource):
    @moves.doc("move_names")
    @right_required(Right.ADMINISTER, recent=True)
    @body(name_move)
    @idempotent("move_names", target="id")
    @preconditions
    @error_responses("user-not-found", "last-admin", "hook-failed")
    @links(200, dict.fromkeys(("get_user", "update_user", "delete_user"), _ITS_ID))
    @marshal_with(user, description="The user who has the names now")
    @with_etag
    def post(
        self,
        id: str,
        caller: Principal,
        payload: dict[str, Any],
        repeatable: IdempotentRequest | None,
        versions: Container[int] | None,
    ) -> Any:
        """Move a username or an email address to a user

        For admins with recent authentication. The user in `from` loses the names and the user in
        the URL gets them, in one transaction. Every user has an email address, so a move of one
        requires `delete_source`: the user in `from` is deleted, with its sessions, keys and second
        factor. A move of the username alone leaves that user without one.

        The moved address is not verified, and gets an email to verify it. The old address of the
        user in the URL becomes available and is notified; the old username is in quarantine.
        """
        target = caller.get_controlled_user(id, Right.ADMINISTER, even_own=True)
        move = Move(
            payload["from"].lower(),
            payload.get("email"),
            payload.get("username"),
            payload.get("delete_source", False),
        )
        moved = name_moves.move(
            target, move, versions=versions, by=caller.actor, request=repeatable
        )
        return moved, 200, {}
