"""What a reader of the OpenAPI description learns before the first operation, and of each header.

Markdown, since the tools that show descriptions expect it.
"""

# ruff: noqa: E501 - Markdown has one item per line, however long.
from typing import Any

Json = dict[str, Any]

DESCRIPTION = """\
Accounts, sessions and passwords on Amazon DynamoDB.

- **Sign in** with `POST /v1/sessions`, a user name or e-mail address, and the password. The answer has a `token`: send it with every other call, as `Authorization: Bearer <token>`. Who has a second factor sends its code as `otp`.
- **Sensitive changes** ask for a sign-in of a few minutes ago. If the answer is `/problems/fresh-sign-in-required`, give the password to `POST /v1/sessions/current/reauthenticate` and repeat with the token that it answers with.
- **Programs** sign in with an API key, in the same header. It may read and change users, as far as its roles go, and is refused everywhere else.
- **Lists** come in pages of `items` and `next_cursor`. Send the cursor back with the same filters until it is null, or follow the `Link` header. A page may hold fewer items than `limit`, even none, while more follow.
- **Changes that nobody loses**: every answer with a user has an `ETag`. Send it as `If-Match` with a change; if somebody else was faster, nothing is written and the answer is 412. Send it as `If-None-Match` with a read; if nothing has changed, the answer is 304 and empty.
- **Bodies** are JSON in UTF-8, of 64 KB at the most. A member that is unknown, read-only or of the wrong type is refused with a 422 that names it.
- **Errors** are `application/problem+json` (RFC 9457) everywhere. Switch on their `type`, which never changes; `GET` on it explains it. Beside what an operation lists, any URL can answer with `/problems/not-found`, `/problems/method-not-allowed`, with the methods that it takes in `Allow`, or `/problems/bad-request`.
- **Limits** by client stand before whatever computes a password hash or sends a mail. `RateLimit` tells what is left; the answer to more is `/problems/too-many-requests`, with `Retry-After`. The same problem is what an account answers with that rests after too many wrong passwords.
- **Every request has a name**, in `X-Request-Id` and in the log. Send one of 1 to 128 of `[A-Za-z0-9._-]` to choose it.
"""


def _header(description: str, example: str, *, is_always: bool = True, **schema: Any) -> Json:
    return {
        "description": description,
        "required": is_always,
        "schema": {"type": "string", "examples": [example], **schema},
    }


HEADERS: Json = {
    "Cache-Control": _header("Nothing about a user may be kept.", "no-store", enum=["no-store"]),
    "ETag": _header(
        "The version of the user, for `If-Match` and `If-None-Match`.",
        '"3-1a1fb1bfee9"',
        pattern='^"[0-9a-f]+-[0-9a-f]+"$',
        maxLength=64,
    ),
    "Link": _header(
        "Where the next page is; not there on the last one.",
        '</v1/users?limit=25&cursor=eyJh>; rel="next"',
        is_always=False,
        pattern='^<.+>; rel="next"$',
        maxLength=4096,
    ),
    "Location": _header(
        "Where the new user or API key is.",
        "/v1/users/01a1fb07-5f9c-7229-8e0e-c7853035f505",
        pattern="^/v1/users/[0-9a-f-]{36}(/api-keys/[0-9a-f]{64})?$",
        maxLength=120,
    ),
    "RateLimit": _header(
        "How many requests of this kind are left, and in how many seconds all of them are there"
        " again (draft-ietf-httpapi-ratelimit-headers-11). Not there where nothing is counted.",
        '"sign-in";r=299;t=42',
        is_always=False,
        pattern='^"[a-z-]+";r=[0-9]+;t=[0-9]+$',
        maxLength=64,
    ),
    "RateLimit-Policy": _header(
        "How many requests of this kind a client may make, within how many seconds.",
        '"sign-in";q=300;w=60',
        is_always=False,
        pattern='^"[a-z-]+";q=[0-9]+;w=[0-9]+$',
        maxLength=64,
    ),
    "Retry-After": {
        "description": "After how many seconds to try again.",
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
        "How to sign in, and whether a token that was sent is not valid (RFC 6750), or its sign-in"
        " too long ago (RFC 9470).",
        'Bearer error="invalid_token"',
        enum=[
            "Bearer",
            'Bearer error="invalid_token"',
            'Bearer error="insufficient_user_authentication"',
        ],
    ),
    "X-Content-Type-Options": _header(
        "Browsers take the type of an answer as it is given.", "nosniff", enum=["nosniff"]
    ),
    "X-Request-Id": _header(
        "Names the request in the service's log; yours, if you sent one.",
        "5f2c8a1e9b7d4c30",
        pattern="^[A-Za-z0-9._-]+$",
        maxLength=128,
    ),
}
