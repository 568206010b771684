"""For each operation a successful request, and the requests that lead to each of its problems.

The latter are changes to the successful request.
"""

from typing import Any, NamedTuple

from tests.support.person import PASSWORD
from tests.support.preconditions import (
    ABSENT_DIGEST,
    AUDIENCE,
    INVITED,
    KEYED,
    Precondition,
    address_lost,
    admin_invited,
    another_audience,
    by_machine,
    calling_client,
    calling_client_without_scopes,
    client_created,
    confirmed,
    created_removed,
    crowded,
    duplicate_is_admin,
    duplicated,
    enrolled,
    external_id_in_use,
    hooked,
    invited,
    invited_and_expired,
    invited_external_id_in_use,
    invited_outdated,
    invited_user_registered,
    locked,
    mailing,
    moved_with_key,
    reset_mailed,
    secret_added,
    secret_revoked,
    sent_with_key,
    stale,
    strict,
    supported,
    target_changed,
    used_up,
    verification_mailed,
    verified,
    without_emails,
)
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD

JSON = "application/json"
NEW = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
SIGN_IN = {"login": "jane@example.com", "password": PASSWORD}
MAIL = {"email": "jane@example.com"}
TOKEN = {"token": "{token}"}
MOVE = {"from": "{duplicate}", "username": "jane-2"}
MERGE = {"from": "{duplicate}", "email": "jane-2@example.com", "delete_source": True}
CHOSEN = {"token": "{token}", "password": NEW_PASSWORD}
RESET = {"new_password": NEW_PASSWORD}

# A field that makes another body of the successful request.
OTHER_FIELD = {
    "create_user": {"full_name": "Ada"},
    "create_api_key": {"name": "hourly"},
    "create_client": {"name": "invoices"},
    "create_invitation": {"roles": []},
    "accept_invitation": {"full_name": "Ada"},
}


class Granted(NamedTuple):
    """A successful request.

    Attributes:
        by: The caller.
        id: The ID in the path, if there is one.
        body: The JSON body.
        given: The preconditions.
        query: The query parameters.
        form: The form, in place of a JSON body.
    """

    by: str
    id: str = ""
    body: Any = None
    given: tuple[Precondition, ...] = ()
    query: dict[str, str] = {}
    form: dict[str, str] | None = None


GRANTED: dict[str, Granted] = {
    "list_users": Granted("john"),
    "create_user": Granted("jane", body=ADA),
    "get_user": Granted("jane", "me"),
    "update_user": Granted("jane", "me", {"full_name": "Jane"}),
    "delete_user": Granted("jane", "me"),
    "move_names": Granted("john", "jane", MOVE, (duplicated,)),
    "change_password": Granted("jane", "me", NEW),
    "start_password_reset": Granted("john", "jane", given=(mailing,)),
    "unlock_user": Granted("john", "jane", given=(locked,)),
    "list_user_events": Granted("jane", "me"),
    "list_events": Granted("john", query={"user": "{jane}"}),
    "get_statistics": Granted("john"),
    "list_user_sessions": Granted("john", "me"),
    "end_user_sessions": Granted("john", "me"),
    "sign_in": Granted("jane", body=SIGN_IN),
    "reauthenticate": Granted("jane", body={"password": PASSWORD}),
    "list_sessions": Granted("jane"),
    "sign_out_everywhere": Granted("jane"),
    "sign_out": Granted("jane"),
    "end_session": Granted("jane", "session"),
    "get_second_factor": Granted("jane", "me"),
    "enrol_second_factor": Granted("jane", "me"),
    "confirm_second_factor": Granted("jane", "me", {"otp": "{otp}"}, (enrolled,)),
    "renew_recovery_codes": Granted("jane", "me", given=(confirmed,)),
    "disable_second_factor": Granted("jane", "me", given=(confirmed,)),
    "create_api_key": Granted("jane", "me", {"name": "nightly"}),
    "list_api_keys": Granted("jane", "me"),
    "revoke_api_key": Granted("jane", "me", given=(by_machine,)),
    "revoke_api_keys": Granted("jane", "me", given=(by_machine,)),
    "create_client": Granted("john", body={"name": "billing"}),
    "list_clients": Granted("john"),
    "get_client": Granted("john", given=(client_created,)),
    "update_client": Granted("john", body={"name": "invoices"}, given=(client_created,)),
    "delete_client": Granted("john", given=(client_created,)),
    "create_client_secret": Granted("john", given=(client_created,)),
    "revoke_client_secret": Granted("john", given=(client_created,)),
    "create_invitation": Granted("john", body=INVITED, given=(mailing,)),
    "list_invitations": Granted("john"),
    "get_invitation": Granted("john", given=(invited,)),
    "resend_invitation": Granted("john", given=(invited,)),
    "revoke_invitation": Granted("john", given=(invited,)),
    "accept_invitation": Granted("jane", body=CHOSEN, given=(invited,)),
    "request_password_reset": Granted("jane", body=MAIL, given=(mailing,)),
    "confirm_password_reset": Granted("jane", body={**RESET, **TOKEN}, given=(reset_mailed,)),
    "request_email_verification": Granted("jane", body=MAIL, given=(mailing,)),
    "confirm_email": Granted("jane", body=TOKEN, given=(verification_mailed,)),
    "create_access_token": Granted("jane", body={"audience": AUDIENCE}, given=(client_created,)),
    "verify_request": Granted("jane"),
    "introspect_token": Granted("gateway", given=(calling_client,), form={"token": "{session}"}),
    "create_oauth_token": Granted(
        "gateway",
        given=(calling_client, client_created),
        form={"grant_type": "client_credentials", "audience": AUDIENCE},
    ),
    "check_live": Granted("jane"),
    "check_ready": Granted("jane"),
    "list_problem_types": Granted("jane"),
    "get_problem_type": Granted("jane", "forbidden"),
}
# Changes that lead to the second successful response of an operation.
OTHER_SUCCESS: dict[tuple[str, str], dict[str, Any]] = {
    ("update_user", "202"): {"json": {"email": "new@example.com"}, "given": (mailing,)},
    ("confirm_password_reset", "201"): {"json": {**RESET, **TOKEN, "sign_in": True}},
}
# What makes each problem of a request that would be granted, where one way serves all operations.
ALIKE: dict[str, dict[str, Any]] = {
    "unauthenticated": {"headers": {"Authorization": "Bearer rst_none"}},
    "forbidden": {"by": "machine", "given": (by_machine,)},
    "fresh-sign-in-required": {"given": (stale,)},
    "second-factor-required": {"given": (confirmed,)},
    "second-factor-missing": {"by": "john", "id": "jane", "given": (strict,)},
    "second-factor-not-found": {"given": ()},
    "second-factor-exists": {"given": (confirmed,)},
    "email-not-verified": {"given": (mailing,)},
    "malformed-json": {"data": "{", "content_type": JSON},
    "payload-too-large": {"data": "x" * 65_537, "content_type": JSON},
    "unsupported-media-type": {"data": "{}", "content_type": "text/plain"},
    "invalid-request": {"query_string": {"nothing": "1"}},
    "invalid-token": {"given": ()},
    "user-not-found": {"id": ABSENT_ID},
    "session-not-found": {"id": ABSENT_DIGEST},
    "api-key-not-found": {"given": ()},
    "client-not-found": {"given": ()},
    "invitation-not-found": {"given": (mailing,)},
    "invitation-outdated": {"given": (invited_outdated,)},
    "too-many-secrets": {"given": (secret_added,)},
    "audience-taken": {
        "json": {"name": "invoices", "audience": AUDIENCE},
        "given": (client_created,),
    },
    "unknown-audience": {"given": ()},
    "not-found": {"id": "nothing"},
    "version-mismatch": {"headers": {"If-Match": '"1f-0"'}},
    "email-taken": {"json": {**ADA, "email": "john@example.com"}},
    "username-taken": {"json": {**ADA, "username": "john"}},
    "external-id-taken": {
        "by": "john",
        "json": {**ADA, "external_id": "crm-1042"},
        "given": (external_id_in_use,),
    },
    "invalid-cursor": {"query_string": {"cursor": "x"}},
    "too-many-requests": {"given": (used_up,)},
    "mail-not-configured": {"given": ()},
    "busy": {"given": (crowded,)},
    "hook-failed": {"given": (hooked,)},
}
ROLES = {"roles": ["admin"]}
# And where it does not.
SINGLE: dict[tuple[str, str], dict[str, Any]] = {
    ("list_users", "invalid-request"): {"query_string": {"limit": "0"}},
    ("unlock_user", "too-many-requests"): {"by": "support", "given": (supported, used_up)},
    ("end_user_sessions", "too-many-requests"): {"by": "support", "given": (supported, used_up)},
    ("get_user", "forbidden"): {"by": "powerless", "given": (calling_client_without_scopes,)},
    ("list_user_events", "invalid-request"): {"query_string": {"limit": "0"}},
    ("create_user", "forbidden"): {"json": {**ADA, **ROLES}},
    ("create_user", "second-factor-missing"): {
        "by": "john",
        "json": {**ADA, **ROLES},
        "given": (strict,),
    },
    ("update_user", "forbidden"): {"json": ROLES},
    ("update_user", "email-taken"): {"json": {"email": "john@example.com"}},
    ("update_user", "username-taken"): {"json": {"username": "john"}},
    ("update_user", "external-id-taken"): {
        "by": "john",
        "id": "jane",
        "json": {"external_id": "crm-1042"},
        "given": (external_id_in_use,),
    },
    ("update_user", "last-admin"): {"by": "john", "json": {"roles": []}},
    ("update_user", "fresh-sign-in-required"): {"json": MAIL, "given": (stale,)},
    ("create_user", "fresh-sign-in-required"): {
        "by": "john",
        "json": {**ADA, **ROLES},
        "given": (stale,),
    },
    ("confirm_password_reset", "second-factor-required"): {
        "json": {**RESET, **TOKEN, "sign_in": True},
        "given": (verified, confirmed, reset_mailed),
    },
    ("confirm_email", "invalid-credentials"): {
        "by": "john",
        "json": {**TOKEN, "password": "wrong"},
    },
    ("end_session", "fresh-sign-in-required"): {"id": ABSENT_DIGEST, "given": (stale,)},
    ("revoke_api_key", "fresh-sign-in-required"): {
        "by": "john",
        "id": "jane",
        "given": (by_machine, stale),
    },
    ("revoke_api_keys", "fresh-sign-in-required"): {
        "by": "john",
        "id": "jane",
        "given": (by_machine, stale),
    },
    ("create_invitation", "email-taken"): {"json": {"email": "john@example.com"}},
    ("create_invitation", "already-invited"): {"given": (invited,)},
    ("create_invitation", "external-id-taken"): {
        "json": {**INVITED, "external_id": "crm-1042"},
        "given": (mailing, external_id_in_use),
    },
    ("create_invitation", "fresh-sign-in-required"): {
        "json": {**INVITED, **ROLES},
        "given": (mailing, stale),
    },
    ("resend_invitation", "email-taken"): {"given": (invited_user_registered,)},
    ("resend_invitation", "already-invited"): {"given": (invited_and_expired,)},
    ("resend_invitation", "external-id-taken"): {"given": (invited_external_id_in_use,)},
    ("resend_invitation", "fresh-sign-in-required"): {"given": (admin_invited, stale)},
    ("resend_invitation", "mail-not-configured"): {"given": (invited, without_emails)},
    ("resend_invitation", "too-many-requests"): {"given": (invited, used_up)},
    ("accept_invitation", "email-taken"): {"given": (invited_user_registered,)},
    ("accept_invitation", "username-taken"): {"json": {**CHOSEN, "username": "john"}},
    ("accept_invitation", "hook-failed"): {"given": (invited, hooked)},
    ("accept_invitation", "busy"): {"given": (invited, crowded)},
    ("update_client", "audience-taken"): {
        "json": {"audience": "https://invoices.example.com"},
        "given": (another_audience, client_created),
    },
    ("revoke_client_secret", "client-secret-not-found"): {
        "given": (client_created, secret_revoked),
    },
    ("create_access_token", "forbidden"): {"json": {"audience": AUDIENCE, **ROLES}},
    ("verify_request", "unknown-audience"): {"query_string": {"audience": AUDIENCE}},
    ("verify_request", "forbidden"): {"query_string": {"role": "admin"}},
    ("verify_request", "second-factor-missing"): {"query_string": {"second_factor": "1"}},
    ("delete_user", "last-admin"): {"by": "john"},
    ("move_names", "hook-failed"): {"given": (duplicated, hooked)},
    ("move_names", "last-admin"): {
        "json": {**MOVE, "delete_source": True},
        "given": (duplicate_is_admin,),
    },
    ("move_names", "idempotency-key-used"): {
        "headers": KEYED,
        "given": (moved_with_key, target_changed),
    },
    ("move_names", "idempotency-key-reused"): {
        "headers": KEYED,
        "json": {**MOVE, "delete_source": True},
        "given": (moved_with_key,),
    },
    ("sign_in", "invalid-credentials"): {"json": {**SIGN_IN, "password": "wrong"}},
    ("reauthenticate", "invalid-credentials"): {"json": {"password": "wrong"}},
    ("change_password", "invalid-credentials"): {"json": {**NEW, "current_password": "wrong"}},
    ("confirm_password_reset", "busy"): {"given": (reset_mailed, crowded)},
    ("confirm_password_reset", "hook-failed"): {
        "json": {**RESET, **TOKEN, "sign_in": True},
        "given": (reset_mailed, hooked),
    },
    ("confirm_email", "email-taken"): {"json": TOKEN, "given": (address_lost,)},
}
# The path of each operation with an idempotency key.
REPEATABLE = {
    "create_user": "/v1/users",
    "create_api_key": "/v1/users/me/api-keys",
    "create_client": "/v1/clients",
    "create_client_secret": "/v1/clients/{client}/secrets",
    "create_invitation": "/v1/invitations",
    "accept_invitation": "/v1/invitations/accept",
}
for _name, _path in REPEATABLE.items():
    _granted = GRANTED[_name]
    _sent = sent_with_key(_granted.by, _path, _granted.body)
    SINGLE[_name, "idempotency-key-used"] = {
        "headers": KEYED,
        "given": (*_granted.given, _sent, created_removed),
    }
    SINGLE[_name, "idempotency-key-reused"] = {
        "headers": KEYED,
        "json": {**(_granted.body or {}), **OTHER_FIELD.get(_name, {})},
        "given": (*_granted.given, _sent),
    }
# What looks at passwords refuses while an account is locked, too.
LOCKED = ("sign_in", "reauthenticate", "change_password")
