"""The routes of clients."""

from collections.abc import Container
from typing import Any

from flask import url_for
from flask_restx import Resource

from api import services
from api.auth import Principal, right_required
from api.etags import etag, preconditions, with_etag
from api.idempotency import idempotent
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT, decode_cursor, page_response
from api.responses import no_content
from api.serialization import marshal_with
from api.v1.clients.schemas import (
    CLIENT_ID,
    SECRET_ID,
    client,
    client_page,
    client_patch,
    clients,
    created_client,
    created_client_secret,
    new_client,
)
from api.validation import JSON, MERGE_PATCH, body, query
from models import IdempotentRequest, Right

_OF_NEW_CLIENT = {"client_id": "$response.body#/id"}
_OF_PATH = {"client_id": "$request.path.client_id"}


@clients.route("")
class Clients(Resource):
    @clients.doc("create_client")
    @right_required(Right.ADMINISTER, recent=True)
    @body(new_client)
    @idempotent("create_client")
    @error_responses("audience-taken")
    @links(201, dict.fromkeys(("get_client", "update_client", "delete_client"), _OF_NEW_CLIENT))
    @headers("Location", "ETag")
    @marshal_with(created_client, code=201, description="The client, with its secret")
    def post(
        self, caller: Principal, payload: dict[str, Any], repeatable: IdempotentRequest | None
    ) -> Any:
        """Create a client

        For admins only, with recent authentication. The response contains the secret, which is
        shown only once.
        """
        created, secret = services.clients.create(**payload, by=caller.actor, request=repeatable)
        body = {name: getattr(created, name) for name in client}
        location = {"Location": url_for("clients_client_item", client_id=created.id)}
        return {**body, "secret": secret}, 201, {**location, "ETag": f'"{etag(created)}"'}

    @clients.doc("list_clients")
    @right_required(Right.ADMINISTER)
    @query({"limit": LIMIT, "cursor": CURSOR})
    @error_responses("invalid-cursor")
    @links(
        200,
        {
            "list_clients": {"query.cursor": "$response.body#/next_cursor"},
            "get_client": {"client_id": "$response.body#/items/0/id"},
        },
    )
    @headers("Link")
    @marshal_with(client_page, description="One page of clients")
    def get(self, caller: Principal, limit: int = 25, cursor: str | None = None) -> Any:
        """List clients

        For admins only, newest first. A client appears in the list after about a second. Secrets
        are never shown.
        """
        found, after = services.clients.newest_first(after=decode_cursor(cursor, {}), limit=limit)
        return page_response(found, after, {}, limit)


@clients.route("/<client_id>")
@clients.doc(params=CLIENT_ID)
class ClientItem(Resource):
    @clients.doc("get_client")
    @right_required(Right.ADMINISTER)
    @error_responses("client-not-found")
    @links(200, dict.fromkeys(("update_client", "delete_client"), _OF_PATH))
    @marshal_with(client, description="The client")
    @with_etag
    def get(self, client_id: str, caller: Principal) -> Any:
        """Read a client

        For admins only.
        """
        return services.clients.get(client_id), 200, {}

    @clients.doc("update_client")
    @right_required(Right.ADMINISTER, recent=True)
    @body(client_patch, media_types=(MERGE_PATCH, JSON))
    @preconditions
    @error_responses("client-not-found", "audience-taken")
    @marshal_with(client, description="The updated client")
    @with_etag
    def patch(
        self,
        client_id: str,
        caller: Principal,
        payload: dict[str, Any],
        versions: Container[int] | None,
    ) -> Any:
        """Update a client

        For admins only, with recent authentication. The body is a JSON merge patch (RFC 7396). A
        disabled client is rejected after at most 30 seconds, until it is enabled again.
        """
        updated = services.clients.update(client_id, payload, versions=versions, by=caller.actor)
        return updated, 200, {}

    @clients.doc("delete_client")
    @right_required(Right.ADMINISTER, recent=True)
    @preconditions
    @error_responses("client-not-found")
    @clients.response(204, "The client is deleted")
    def delete(self, client_id: str, caller: Principal, versions: Container[int] | None) -> Any:
        """Delete a client

        For admins only, with recent authentication. Its secrets are rejected after at most 30
        seconds, and its audience becomes available.
        """
        services.clients.delete(client_id, versions=versions, by=caller.actor)
        return no_content()


@clients.route("/<client_id>/secrets")
@clients.doc(params=CLIENT_ID)
class ClientSecrets(Resource):
    @clients.doc("create_client_secret")
    @right_required(Right.ADMINISTER, recent=True)
    @idempotent("create_client_secret", target="client_id", has_body=False)
    @error_responses("client-not-found", "too-many-secrets")
    @links(201, {"revoke_client_secret": {**_OF_PATH, "secret_id": "$response.body#/id"}})
    @headers("Location")
    @marshal_with(created_client_secret, code=201, description="The secret, shown only once")
    def post(self, client_id: str, caller: Principal, repeatable: IdempotentRequest | None) -> Any:
        """Add a secret to a client

        For admins only, with recent authentication. A client has at most two secrets, so that one
        can be replaced without a gap: add one, use it, revoke the other.
        """
        row, secret = services.clients.add_secret(client_id, by=caller.actor, request=repeatable)
        location = url_for("clients_client_secret", client_id=client_id, secret_id=row.id)
        return {**vars(row), "secret": secret}, 201, {"Location": location}


@clients.route("/<client_id>/secrets/<secret_id>")
@clients.doc(params={**CLIENT_ID, **SECRET_ID})
class ClientSecret(Resource):
    @clients.doc("revoke_client_secret")
    @right_required(Right.ADMINISTER, recent=True)
    @error_responses("client-not-found", "client-secret-not-found")
    @clients.response(204, "The secret is revoked")
    def delete(self, client_id: str, secret_id: str, caller: Principal) -> Any:
        """Revoke a secret of a client

        For admins only, with recent authentication. It is rejected after at most 30 seconds.
        """
        services.clients.revoke_secret(client_id, secret_id, by=caller.actor)
        return no_content()
