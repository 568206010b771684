"""Creates the users of a benchmark: a few hundred, one of them with a session, and an admin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.support.process import BenchError
from bench.support.service import Service

PASSWORD = "correct horse battery staple"
PAGE = "/v1/users?limit=25"
_ADMIN = "john"
_CONCURRENCY = 8


@dataclass(frozen=True)
class Users:
    """The users in the database.

    Attributes:
        usernames: The names that sign in.
        user: The user that reads itself, as the API returns it.
        token: That user's session token.
        admin_token: The session token of the admin that lists users.
    """

    usernames: list[str]
    user: dict[str, Any]
    token: str
    admin_token: str


def create_users(service: Service, count: int) -> Users:
    """Sign up a number of users and sign in one of them and the admin."""
    usernames = [f"user-{number}" for number in range(count)]
    with ThreadPoolExecutor(_CONCURRENCY) as pool:
        list(pool.map(partial(_sign_up, service), usernames))
    session, admin = (_sign_in(service, name) for name in (usernames[0], _ADMIN))
    page = service.request("GET", PAGE, 200, token=admin["token"])
    if len(page["items"]) != 25:
        raise BenchError(f"{PAGE} returned {len(page['items'])} users, not 25")
    return Users(usernames, session["user"], session["token"], admin["token"])


def bearer(token: str) -> dict[str, str]:
    """Return the authorization header for a session token."""
    return {"Authorization": f"Bearer {token}"}


def _sign_up(service: Service, username: str) -> None:
    body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    service.request("POST", "/v1/users", 201, body=body)


def _sign_in(service: Service, username: str) -> Any:
    body = {"login": username, "password": PASSWORD}
    return service.request("POST", "/v1/sessions", 201, body=body)
