"""The registry of problems: every kind of error that clients can get, and their schema.

It feeds the handlers, the API description, the documentation and `/problems/...`. A slug is stable
forever: clients switch on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_restx import Model, fields

MEDIA_TYPE = "application/problem+json"
# The name of a field can fill a whole body; a response that repeated it for each fault would be
# many times as long as the request.
MAX_POINTER_LENGTH = 1024
# Paths, or absolute URLs of a service with a public URL.
TYPE_PATTERN = "^(https?://.+)?/problems/[a-z-]+$"
MAX_TYPE_LENGTH = 2048


@dataclass(frozen=True)
class Problem:
    """One kind of error that clients can get.

    Attributes:
        slug: Its stable name, the end of the `type` URI.
        status: The HTTP status.
        title: A short description.
        meaning: When it happens and what a client can do.
    """

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return f"/problems/{self.slug}"

    def uri(self, base_url: str) -> str:
        """Return the `type` of responses.

        Args:
            base_url: The public URL of the service; if empty, the type is a path.
        """
        return f"{base_url}{self.type}"


_ALL = (
    Problem(
        "malformed-json",
        400,
        "The body is not valid JSON",
        "The body cannot be parsed as one JSON value in UTF-8 without duplicate names. Send a JSON"
        " object.",
    ),
    Problem(
        "invalid-cursor",
        400,
        "The cursor does not belong to this list",
        "The cursor was modified, or created for another list or other filters. Start again without"
        " a cursor, and keep the filters while following `next_cursor`.",
    ),
    Problem(
        "bad-request",
        400,
        "Malformed HTTP request",
        "The request is malformed below the level of its body.",
    ),
    Problem(
        "unauthenticated",
        401,
        "Authentication required",
        "The request has no token, or its session or API key has ended. Sign in with"
        " `POST /v1/sessions` and send the token as `Authorization: Bearer <token>`.",
    ),
    Problem(
        "invalid-credentials",
        401,
        "Wrong login or password",
        "The response is the same for an unknown user, a wrong password and a user who may not sign"
        " in. When changing a password: the current password is wrong.",
    ),
    Problem(
        "second-factor-required",
        401,
        "Second factor code required",
        "The password is correct, but the code is missing or wrong. Send the code of the"
        " authenticator app, or a recovery code, as `otp`. Each code works once.",
    ),
    Problem(
        "fresh-sign-in-required",
        401,
        "Recent authentication required",
        "This session was authenticated too long ago for a change as sensitive as this. Call"
        " `POST /v1/sessions/current/reauthenticate`, then retry with the token that it returns.",
    ),
    Problem(
        "forbidden",
        403,
        "Forbidden",
        "You are signed in, but only an admin (or only the user) may do this, or set this field. An"
        " API key may read and update users, and nothing else. `errors` names the field if there is"
        " one.",
    ),
    Problem(
        "second-factor-missing",
        403,
        "Second factor required",
        "The service requires a second factor of admins. Without one, set it up with"
        " `POST /v1/users/me/second-factor`, confirm it, and retry. With one, reauthenticate with"
        " a code. An API key must be created in a session that has used one.",
    ),
    Problem(
        "email-not-verified",
        403,
        "Email address not verified",
        "API keys and second factors can be set up after the email address is verified, so that the"
        " owner of the address finds none of another person's. Send the address to"
        " `POST /v1/email-verifications`, confirm the token, and retry.",
    ),
    Problem("not-found", 404, "Not found", "There is nothing at this URL."),
    Problem(
        "user-not-found",
        404,
        "User not found",
        "There is no user with this ID, or you may not see it.",
    ),
    Problem(
        "session-not-found",
        404,
        "Session not found",
        "The session has ended, or is not one of yours.",
    ),
    Problem(
        "api-key-not-found",
        404,
        "API key not found",
        "The key has been revoked, or does not belong to this user.",
    ),
    Problem(
        "client-not-found",
        404,
        "Client not found",
        "There is no client with this ID.",
    ),
    Problem(
        "client-secret-not-found",
        404,
        "Client secret not found",
        "The secret has been revoked, or does not belong to this client.",
    ),
    Problem(
        "invitation-not-found",
        404,
        "Invitation not found",
        "There is no invitation with this ID: it was accepted or revoked, or expired long ago.",
    ),
    Problem(
        "second-factor-not-found",
        404,
        "Second factor not enabled",
        "The user has no second factor, or none that is waiting for confirmation.",
    ),
    Problem(
        "method-not-allowed",
        405,
        "Method not allowed",
        "The `Allow` header lists the methods of this URL.",
    ),
    Problem(
        "request-timeout",
        408,
        "Request timeout",
        "The body of the request was not complete in time. Nothing was changed.",
    ),
    Problem(
        "username-taken",
        409,
        "Username is already in use",
        "Another user has this username. Choose another one.",
    ),
    Problem(
        "email-taken",
        409,
        "Email address is already in use",
        "There is already an account with this email address, regardless of case.",
    ),
    Problem(
        "external-id-taken",
        409,
        "External ID is already in use",
        "Another user has this ID of another system. Each user has one of its own.",
    ),
    Problem(
        "already-invited",
        409,
        "Email address is already invited",
        "The address has an invitation that is pending, regardless of case. Resend it, or revoke it"
        " before you create another one.",
    ),
    Problem(
        "invitation-outdated",
        409,
        "Invitation is no longer accepted",
        "The settings have changed since the invitation was created, so that a role, the"
        " `app_metadata`, the external ID or the email address that it gives is no longer accepted."
        " Nothing was changed. An admin revokes it and creates another one.",
    ),
    Problem(
        "audience-taken",
        409,
        "Audience is already in use",
        "Another client has this audience. An audience is compared to the letter.",
    ),
    Problem(
        "too-many-secrets",
        409,
        "The client has two secrets",
        "A client has at most two secrets. Revoke one before you add another.",
    ),
    Problem(
        "second-factor-exists",
        409,
        "Second factor is already enabled",
        "Disable the current one before you set up another.",
    ),
    Problem(
        "idempotency-key-used",
        409,
        "Idempotency key is already used",
        "A request with this `Idempotency-Key` was executed before, and what it created was"
        " changed, revoked or deleted since, so the first response cannot be repeated. Read the"
        " resource, or send a new key to create another one.",
    ),
    Problem(
        "last-admin",
        409,
        "At least one active admin is required",
        "The last active admin cannot be deleted, suspended or demoted. Make another user an admin"
        " first.",
    ),
    Problem(
        "version-mismatch",
        412,
        "The resource has changed",
        "The user or client has changed since you read the `ETag` that you sent as `If-Match`. Read"
        " it again, compare, and retry.",
    ),
    Problem(
        "payload-too-large",
        413,
        "The body is too large",
        "A body has 64 KB (65,536 bytes) at most.",
    ),
    Problem(
        "unsupported-media-type",
        415,
        "Unsupported media type",
        "Send `Content-Type: application/json`, or `application/merge-patch+json` to PATCH.",
    ),
    Problem(
        "invalid-request",
        422,
        "Invalid request",
        "`errors` lists each field that is missing, unknown, read-only, of the wrong type or out of"
        " bounds, with a JSON pointer to it.",
    ),
    Problem(
        "idempotency-key-reused",
        422,
        "Idempotency key belongs to another request",
        "An earlier request with this `Idempotency-Key` had another body. A key identifies one"
        " request: choose a new one for each, and send it again only with the same body.",
    ),
    Problem(
        "invalid-token",
        422,
        "Invalid token",
        "The emailed token was never issued, is already used, has expired, or was made void by a"
        " later change. Request a new email.",
    ),
    Problem(
        "unknown-audience",
        422,
        "Unknown audience",
        "No client has this audience, or the client is disabled. An audience is compared to the"
        " letter; admins set it with `PATCH /v1/clients/{client_id}`.",
    ),
    Problem(
        "too-many-requests",
        429,
        "Too many requests",
        "There were too many requests of this kind from this client, too many wrong passwords for"
        " this account, or too many emails to it. Wait for the seconds in `Retry-After`.",
    ),
    Problem(
        "internal-error",
        500,
        "Internal error",
        "The service failed. Report the `request_id`: the log has the details under it.",
    ),
    Problem(
        "mail-not-configured",
        501,
        "Email is not configured",
        "The operator of the service has configured no way to send email, so nothing can be"
        " verified or reset by email.",
    ),
    Problem(
        "busy",
        503,
        "Too many requests are waiting",
        "The service has more requests than it can process in time. Nothing was changed. Retry"
        " after `Retry-After` seconds.",
    ),
    Problem(
        "hook-failed",
        503,
        "A check failed",
        "A function that the operator has added to the service has failed or took too long. Nothing"
        " was changed. Retry after `Retry-After` seconds.",
    ),
    Problem(
        "store-unavailable",
        503,
        "Database unavailable",
        "The database does not respond, or not fast enough. Retry after `Retry-After` seconds; a"
        " change may or may not have been made.",
    ),
)

PROBLEMS: Mapping[str, Problem] = {problem.slug: problem for problem in _ALL}

problem_member_schema = Model(
    "ProblemMember",
    {
        "pointer": fields.String(
            required=True,
            description="JSON pointer to the field, or `/` and the name of a query parameter or"
            " header",
            pattern="^(/|$)",
            max_length=MAX_POINTER_LENGTH,
            example="/email",
        ),
        "detail": fields.String(
            required=True,
            description="The error of the field",
            max_length=1024,
            example="It must have at least 3 characters.",
        ),
    },
)
problem_schema = Model(
    "Problem",
    {
        "type": fields.String(
            required=True,
            description="Stable URI of the problem: switch on its end, from `/problems/` on, or GET"
            " it for an explanation. Absolute if the service has a public URL, a path otherwise",
            pattern=TYPE_PATTERN,
            max_length=MAX_TYPE_LENGTH,
            example="/problems/email-taken",
        ),
        "title": fields.String(
            required=True,
            description="What the type means",
            max_length=100,
            example="Email address is already in use",
        ),
        "status": fields.Integer(
            required=True, description="The HTTP status", min=400, max=599, example=409
        ),
        "detail": fields.String(
            required=True,
            description="What happened this time",
            max_length=8192,
            example="There is already an account with this email address.",
        ),
        "request_id": fields.String(
            required=True,
            description="Identifies the request in the log, like `X-Request-Id`",
            pattern="^[A-Za-z0-9._-]+$",
            max_length=128,
            example="5f2c8a1e9b7d4c30",
        ),
        "errors": fields.List(
            fields.Nested(problem_member_schema),
            description="The fields at fault, if any",
            max_items=50,
        ),
    },
)
