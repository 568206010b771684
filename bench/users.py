"""Who is in the store: a few hundred users, one of them with a session, and an admin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.process import BenchError
from bench.service import Service

PASSWORD = "correct horse battery staple"
PAGE = "/v1/users?limit=25"
_ADMIN = "john"
_AT_ONCE = 8


@dataclass(frozen=True)
class Cast:
    """The users of a store.

    Attributes:
        usernames: Of those who sign in.
        user: The one who reads itself, as the service shows it.
        token: That user's session.
        admin_token: The session of the admin who lists.
    """

    usernames: list[str]
    user: dict[str, Any]
    token: str
    admin_token: str


def enrol(service: Service, users: int) -> Cast:
    """Sign up a number of users and open the sessions that are needed."""
    usernames = [f"user-{number}" for number in range(users)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(partial(_sign_up, service), usernames))
    opened, admin = (_sign_in(service, name) for name in (usernames[0], _ADMIN))
    page = service.ask("GET", PAGE, 200, token=admin["token"])
    if len(page["items"]) != 25:
        raise BenchError(f"{PAGE} shows {len(page['items'])} users, not 25")
    return Cast(usernames, opened["user"], opened["token"], admin["token"])


def bearer(token: str) -> dict[str, str]:
    """The header of whoever has a session."""
    return {"Authorization": f"Bearer {token}"}


def _sign_up(service: Service, username: str) -> None:
    body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    service.ask("POST", "/v1/users", 201, body=body)


def _sign_in(service: Service, username: str) -> Any:
    return service.ask("POST", "/v1/sessions", 201, body={"login": username, "password": PASSWORD})
