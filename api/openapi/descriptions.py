"""The introduction of the OpenAPI document and the descriptions of headers, in Markdown."""

# ruff: noqa: E501 - Markdown has one item per line, however long.
from typing import Any

Json = dict[str, Any]

DESCRIPTION = """\
Accounts, sessions and passwords on Amazon DynamoDB.

- **Sign in** with `POST /v1/sessions`, a username or email address, and the password. The response has a `token`: send it with every other call, as `Authorization: Bearer <token>`. A user with a second factor sends its code as `otp`.
- **Sensitive changes** require recent authentication. If the response is `/problems/fresh-sign-in-required`, send the password to `POST /v1/sessions/current/reauthenticate` and retry with the token that it returns.
- **Programs** authenticate with an API key, in the same header. It may read and update users, as far as its roles allow, and is rejected everywhere else. A program that belongs to no user is a client: its secret, in the same header, opens the operations that name a scope of `clientSecret`, and the endpoints under `/oauth`.
- **Lists** have pages of `items` and `next_cursor`. Send the cursor back with the same filters until it is null, or follow the `Link` header. A page may have fewer items than `limit`, even none, while more follow.
- **Conditional requests**: every response with a user has an `ETag`. Send it as `If-Match` with a change: if the user has changed since, nothing is written and the response is 412. Send it as `If-None-Match` with a read: if nothing has changed, the response is 304 without a body.
- **Repeats**: send an `Idempotency-Key`, such as a random UUID, with a request that creates a user, an API key, a client or a secret. If the response is lost, send the same request again: it is answered like the first one, with `Idempotency-Replayed: true`, and nothing is created twice. With another body the response is `/problems/idempotency-key-reused`. Other operations are safe to repeat without a key.
- **Bodies** are JSON in UTF-8, of at most 64 KB. A field that is unknown, read-only or of the wrong type is rejected with a 422 that names it.
- **Errors** are `application/problem+json` (RFC 9457) everywhere. Switch on their `type`, which never changes; `GET` on it explains it. It is a path such as `/problems/email-taken`, or an absolute URL that ends with it if the service has a public URL. Besides the errors that an operation lists, any URL can respond with `/problems/not-found`, `/problems/method-not-allowed`, with the allowed methods in `Allow`, or `/problems/bad-request`.
- **Rate limits** by client apply to whatever computes a password hash or sends an email. `RateLimit` reports what remains; further requests get `/problems/too-many-requests`, with `Retry-After`. An account that is locked after too many wrong passwords responds with the same problem.
- **Every request has an ID**, in `X-Request-Id` and in the log. Send one of 1 to 128 of `[A-Za-z0-9._-]` to choose it.
"""


def _header(description: str, example: str, *, is_always: bool = True, **schema: Any) -> Json:
    return {
        "description": description,
        "required": is_always,
        "schema": {"type": "string", "examples": [example], **schema},
    }


HEADERS: Json = {
    "Accept-Encoding": _header(
        "The accepted content codings, if the body had another one (RFC 9110, 15.5.16).",
        "identity",
        is_always=False,
        enum=["identity"],
    ),
    "Accept-Patch": _header(
        "The accepted media types of a patch (RFC 5789, 2.2).",
        "application/merge-patch+json, application/json",
        is_always=False,
        pattern="^[a-z0-9/+., -]+$",
        maxLength=100,
    ),
    "Cache-Control": _header(
        "Responses about users must not be stored.", "no-store", enum=["no-store"]
    ),
    "ETag": _header(
        "The version of the user or client, for `If-Match` and `If-None-Match`.",
        '"3-1a1fb1bfee9"',
        pattern='^"[0-9a-f]+-[0-9a-f]+"$',
        maxLength=64,
    ),
    "Idempotency-Replayed": _header(
        "Present if an earlier request with the same `Idempotency-Key` has created this.",
        "true",
        is_always=False,
        enum=["true"],
    ),
    "Link": _header(
        "The URL of the next page; absent on the last page.",
        '</v1/users?limit=25&cursor=eyJh>; rel="next"',
        is_always=False,
        pattern='^<.+>; rel="next"$',
        maxLength=4096,
    ),
    "Location": _header(
        "The URL of what was created.",
        "/v1/users/01a1fb07-5f9c-7229-8e0e-c7853035f505",
        pattern="^(/[A-Za-z0-9._~-]+)*/v1/(users/[0-9a-f-]{36}(/api-keys/[0-9a-f]{64})?"
        "|clients/[0-9a-f-]{36}(/secrets/[0-9a-f-]{36})?|invitations/[0-9a-f-]{36})$",
        maxLength=1024,
    ),
    "RateLimit": _header(
        "The remaining requests of this kind, and the seconds until the full quota is available"
        " again (draft-ietf-httpapi-ratelimit-headers-11). Absent where nothing is counted.",
        '"sign-in";r=299;t=42',
        is_always=False,
        pattern='^"[a-z-]+";r=[0-9]+;t=[0-9]+$',
        maxLength=64,
    ),
    "RateLimit-Policy": _header(
        "The quota of requests of this kind per client, and its window in seconds.",
        '"sign-in";q=300;w=60',
        is_always=False,
        pattern='^"[a-z-]+";q=[0-9]+;w=[0-9]+$',
        maxLength=64,
    ),
    "Retry-After": {
        "description": "Seconds to wait before a retry.",
        "required": True,
        "schema": {
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": 2_592_000,
            "examples": [2],
        },
    },
    "WWW-Authenticate": _header(
        "How to authenticate, and whether the token is invalid (RFC 6750) or its authentication too"
        " old (RFC 9470). For clients of OAuth endpoints with a realm.",
        'Bearer error="invalid_token"',
        enum=[
            "Bearer",
            'Bearer error="invalid_token"',
            'Bearer error="insufficient_user_authentication"',
            'Basic realm="roster"',
            'Bearer realm="roster"',
            'Bearer realm="roster", error="invalid_token"',
            'Bearer realm="roster", error="insufficient_scope"',
        ],
    ),
    "X-User-Id": _header(
        "The ID of the user, which never changes.",
        "01a1fb07-5f9c-7229-8e0e-c7853035f505",
        pattern="^[0-9a-f-]{36}$",
        maxLength=36,
    ),
    "X-User-Name": _header(
        "The username; empty for a user without one.",
        "john",
        pattern="^([a-z0-9._-]{3,32})?$",
        maxLength=32,
    ),
    "X-User-Roles": _header(
        "The roles that count for this token, separated by commas.",
        "user",
        pattern="^([a-z-]+(,[a-z-]+)*)?$",
        maxLength=1024,
    ),
    "X-User-Email-Verified": _header(
        "Whether the email address of the user is verified.", "true", enum=["true", "false"]
    ),
    "X-Session-Id": _header(
        "The ID of the session; empty for an API key.",
        "5f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c30",
        pattern="^([0-9a-f]{64})?$",
        maxLength=64,
    ),
    "X-Auth-Methods": _header(
        "The factors that were verified for the session (RFC 8176); empty for an API key.",
        "pwd,otp",
        pattern="^([a-z]+(,[a-z]+)*)?$",
        maxLength=64,
    ),
    "X-Access-Token": _header(
        "The access token for the service; empty without `audience`.",
        "",
        pattern=r"^([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?$",
        maxLength=4096,
    ),
    "Content-Security-Policy": _header(
        "What browsers may load and execute for this response, and where they may embed it.",
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        pattern="^default-src ",
        maxLength=1024,
    ),
    "Referrer-Policy": _header(
        "Browsers must not send the URL to other pages.", "no-referrer", enum=["no-referrer"]
    ),
    "X-Content-Type-Options": _header(
        "Browsers must not guess the media type.", "nosniff", enum=["nosniff"]
    ),
    "X-Request-Id": _header(
        "Identifies the request in the log; the ID of the request, if it had a valid one.",
        "5f2c8a1e9b7d4c30",
        pattern="^[A-Za-z0-9._-]+$",
        maxLength=128,
    ),
}
