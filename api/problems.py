"""The registry of problems: every kind of error that clients can meet, and their schema.

It feeds the handlers, the API description, the documentation and `/problems/...`. A slug is stable
for ever: clients switch on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_restx import Model, fields

MEDIA_TYPE = "application/problem+json"
# A member's name can fill a whole body; an answer that repeated it for each of its faults would be
# many times as long as the request.
LONGEST_POINTER = 1024


@dataclass(frozen=True)
class Problem:
    """One kind of error that clients can meet.

    Attributes:
        slug: Its stable name, the end of the `type` URI.
        status: The HTTP status.
        title: What it is, in a few words that never change.
        meaning: When it happens and what a client can do.
    """

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return f"/problems/{self.slug}"


_ALL = (
    Problem(
        "malformed-json",
        400,
        "The body is not JSON",
        "The body cannot be read as one JSON value in UTF-8 whose members have different names."
        " Send a JSON object.",
    ),
    Problem(
        "invalid-cursor",
        400,
        "The cursor is not of this list",
        "The cursor was changed, or made for another list or other filters. Start again without"
        " one, and keep the filters while following `next_cursor`.",
    ),
    Problem(
        "bad-request",
        400,
        "The request cannot be understood",
        "The request is malformed below the level of its body.",
    ),
    Problem(
        "unauthenticated",
        401,
        "Sign in first",
        "The request has no token, or its session or API key has ended. Sign in with"
        " `POST /v1/sessions` and send the token as `Authorization: Bearer <token>`.",
    ),
    Problem(
        "invalid-credentials",
        401,
        "The login or the password is wrong",
        "The answer is the same for an unknown user, a wrong password and a user who may not sign"
        " in. When changing a password: the current one is wrong.",
    ),
    Problem(
        "second-factor-required",
        401,
        "The second factor is missing or wrong",
        "The password is right. Send the code that the authenticator shows, or a recovery code, as"
        " `otp`. Each code works once.",
    ),
    Problem(
        "fresh-sign-in-required",
        401,
        "Give your password once more",
        "The sign-in of this session is too long ago for a change as sensitive as this. Call"
        " `POST /v1/sessions/current/reauthenticate`, then repeat with the token it answers with.",
    ),
    Problem(
        "forbidden",
        403,
        "Not allowed",
        "You are signed in, but only an admin (or only the user itself) may do this, or set this"
        " member. An API key may read and change users, and nothing else. `errors` names the member"
        " where there is one.",
    ),
    Problem(
        "second-factor-missing",
        403,
        "Admins need a second factor here",
        "The service asks admins for a second factor. Set one up with"
        " `POST /v1/users/me/second-factor`, confirm it, and repeat.",
    ),
    Problem("not-found", 404, "No such page", "There is nothing at this URL."),
    Problem(
        "user-not-found",
        404,
        "No such user",
        "There is no user with this id, or you may not see it.",
    ),
    Problem(
        "session-not-found",
        404,
        "No such session",
        "The session has ended, or is not one of yours.",
    ),
    Problem(
        "api-key-not-found",
        404,
        "No such API key",
        "The key has been revoked, or is not one of this user's.",
    ),
    Problem(
        "second-factor-not-found",
        404,
        "No second factor",
        "The user has no second factor, or none that waits to be confirmed.",
    ),
    Problem(
        "method-not-allowed",
        405,
        "The URL does not take this method",
        "The `Allow` header lists the methods that it takes.",
    ),
    Problem(
        "username-taken",
        409,
        "User name is already in use",
        "Somebody has this user name. Choose another one.",
    ),
    Problem(
        "email-taken",
        409,
        "E-mail address is already in use",
        "There is an account with this address, in whatever case it is written.",
    ),
    Problem(
        "second-factor-exists",
        409,
        "There is a second factor already",
        "Turn the present one off before you set up another.",
    ),
    Problem(
        "last-admin",
        409,
        "Somebody has to administer",
        "The last active admin cannot be deleted, suspended or demoted. Make another user an admin"
        " first.",
    ),
    Problem(
        "version-mismatch",
        412,
        "The user has changed",
        "The user is not what it was when you read the `ETag` that you sent as `If-Match`. Read it"
        " again, look at the difference, and repeat.",
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
        "The body has another media type",
        "Send `Content-Type: application/json`, or `application/merge-patch+json` to PATCH.",
    ),
    Problem(
        "invalid-request",
        422,
        "The request breaks the rules",
        "`errors` lists each member that is missing, unknown, read-only, of the wrong type or out"
        " of its bounds, with a JSON pointer to it.",
    ),
    Problem(
        "invalid-token",
        422,
        "The token is not valid",
        "The token out of the mail was never given, is used already, has expired, or something"
        " newer has made it void. Ask for a new mail.",
    ),
    Problem(
        "too-many-requests",
        429,
        "Too many requests",
        "There were too many requests of this kind from this client, too many wrong passwords for"
        " this account, or too many mails because of it. Wait for the seconds in `Retry-After`.",
    ),
    Problem(
        "internal-error",
        500,
        "Something went wrong",
        "The fault is ours. Report the `request_id`: the log has the details under it.",
    ),
    Problem(
        "mail-not-configured",
        501,
        "This service sends no mail",
        "Its operator has configured no way to send mails, so that nothing can be confirmed or"
        " reset by one.",
    ),
    Problem(
        "busy",
        503,
        "Too many passwords are being checked",
        "The service checks as many passwords as it can. Nothing was done. Try again after"
        " `Retry-After` seconds.",
    ),
    Problem(
        "store-unavailable",
        503,
        "The store is out of reach",
        "The database does not answer, or not fast enough. Try again after `Retry-After` seconds;"
        " a change may or may not have been made.",
    ),
)

PROBLEMS: Mapping[str, Problem] = {problem.slug: problem for problem in _ALL}

problem_member_schema = Model(
    "ProblemMember",
    {
        "pointer": fields.String(
            required=True,
            description="JSON pointer to the member, or `/` and the name of a query parameter",
            pattern="^(/|$)",
            max_length=LONGEST_POINTER,
            example="/email",
        ),
        "detail": fields.String(
            required=True,
            description="What is wrong with it",
            max_length=1024,
            example="It must have 3 characters or more.",
        ),
    },
)
problem_schema = Model(
    "Problem",
    {
        "type": fields.String(
            required=True,
            description="Stable URI of the problem: switch on it, or GET it to have it explained",
            pattern="^/problems/[a-z-]+$",
            max_length=64,
            example="/problems/email-taken",
        ),
        "title": fields.String(
            required=True,
            description="What the type means",
            max_length=100,
            example="E-mail address is already in use",
        ),
        "status": fields.Integer(
            required=True, description="The HTTP status", min=400, max=599, example=409
        ),
        "detail": fields.String(
            required=True,
            description="What happened this time",
            max_length=8192,
            example="There is an account with this e-mail address.",
        ),
        "request_id": fields.String(
            required=True,
            description="Names the request in the log, as `X-Request-Id` does",
            pattern="^[A-Za-z0-9._-]+$",
            max_length=128,
            example="5f2c8a1e9b7d4c30",
        ),
        "errors": fields.List(
            fields.Nested(problem_member_schema),
            description="The members at fault, where there are some",
            max_items=50,
        ),
    },
)
