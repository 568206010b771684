"""Use the Python client with a service: `client.py <base URL> <password>`."""

import sys
from uuid import uuid4

from roster_client import AuthenticatedClient, Client, each
from roster_client.api.api_keys import create_api_key, revoke_api_key
from roster_client.api.sessions import sign_in
from roster_client.api.users import create_user, delete_user, get_user, list_users, update_user
from roster_client.models import (
    CreatedApiKey,
    Credentials,
    NewApiKey,
    NewUser,
    OpenedSession,
    Problem,
    ProblemTypePath,
    User,
    UserPatch,
)

BASE, PASSWORD = sys.argv[1:]
NAME = f"ada-{uuid4().hex[:8]}"


def register() -> User:
    """Register a user; no token is needed."""
    body = NewUser(username=NAME, email=f"{NAME}@example.com", password=PASSWORD)
    with Client(BASE) as client:
        created = create_user.sync_detailed(client=client, body=body)
    assert created.status_code == 201, created.content
    assert isinstance(created.parsed, User)
    assert created.headers["Location"] == f"/v1/users/{created.parsed.id}"
    return created.parsed


def repeat_a_lost_request(client: AuthenticatedClient) -> None:
    """Create an API key twice with one idempotency key, as after a lost response."""
    body, key = NewApiKey(name="hourly"), str(uuid4())
    first, second = (
        create_api_key.sync("me", client=client, body=body, idempotency_key=key) for _ in range(2)
    )
    assert isinstance(first, CreatedApiKey)
    assert isinstance(second, CreatedApiKey)
    assert (first.id, first.key) == (second.id, second.key)
    assert revoke_api_key.sync_detailed("me", first.id, client=client).status_code == 204


def sign_in_as_admin() -> AuthenticatedClient:
    """Sign in as john, an admin."""
    with Client(BASE) as client:
        session = sign_in.sync(client=client, body=Credentials(login="john", password=PASSWORD))
    assert isinstance(session, OpenedSession)
    return AuthenticatedClient(BASE, session.token)


def list_all_users(client: AuthenticatedClient) -> list[User]:
    """Read all pages of the list."""
    return list(each(list_users.sync, client=client, limit=2))


def use_api_key(client: AuthenticatedClient) -> None:
    """Create an API key, use it and revoke it."""
    created = create_api_key.sync("me", client=client, body=NewApiKey(name="nightly"))
    assert isinstance(created, CreatedApiKey)
    machine = AuthenticatedClient(BASE, created.key)
    owner = get_user.sync("me", client=machine)
    assert isinstance(owner, User)
    assert owner.username == "john"
    assert revoke_api_key.sync_detailed("me", created.id, client=client).status_code == 204
    rejected = get_user.sync("me", client=machine)
    assert isinstance(rejected, Problem)
    assert rejected.type_ is ProblemTypePath.UNAUTHENTICATED


def main() -> None:
    ada = register()
    john = sign_in_as_admin()
    assert ada.id in [user.id for user in list_all_users(john)]

    read = get_user.sync_detailed(ada.id, client=john)
    etag, patch = read.headers["ETag"], UserPatch(full_name="Ada Lovelace")
    changed = update_user.sync_detailed(ada.id, client=john, body=patch, if_match=etag)
    stale = update_user.sync_detailed(ada.id, client=john, body=patch, if_match='"1f-0"')
    assert isinstance(changed.parsed, User)
    assert changed.parsed.full_name == "Ada Lovelace"
    assert isinstance(stale.parsed, Problem)
    assert stale.parsed.type_ == "/problems/version-mismatch"

    assert delete_user.sync_detailed(ada.id, client=john).status_code == 204
    missing = get_user.sync(ada.id, client=john)
    assert isinstance(missing, Problem)
    assert missing.status == 404
    use_api_key(john)
    repeat_a_lost_request(john)


main()
