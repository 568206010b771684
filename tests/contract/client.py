"""Uses the client that openapi-python-client has made: `python client.py <base URL> <password>`."""

import sys
from uuid import uuid4

from roster_client import AuthenticatedClient, Client
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
    User,
    UserPage,
    UserPatch,
)

BASE, PASSWORD = sys.argv[1:]
NAME = f"ada-{uuid4().hex[:8]}"


def register() -> User:
    """Anyone can; nobody needs a token for it."""
    body = NewUser(username=NAME, email=f"{NAME}@example.com", password=PASSWORD)
    with Client(base_url=BASE) as client:
        made = create_user.sync_detailed(client=client, body=body)
    assert made.status_code == 201, made.content
    assert isinstance(made.parsed, User)
    assert made.headers["Location"] == f"/v1/users/{made.parsed.id}"
    return made.parsed


def signed_in() -> AuthenticatedClient:
    """john, who may list and change everybody."""
    with Client(base_url=BASE, raise_on_unexpected_status=True) as client:
        opened = sign_in.sync(client=client, body=Credentials(login="john", password=PASSWORD))
    assert isinstance(opened, OpenedSession)
    return AuthenticatedClient(base_url=BASE, token=opened.token, raise_on_unexpected_status=True)


def every_user(client: AuthenticatedClient) -> list[User]:
    """All pages of the list, by the cursor."""
    found, cursor = [], {}
    while True:
        page = list_users.sync(client=client, limit=2, **cursor)
        assert isinstance(page, UserPage)
        found += page.items
        if page.next_cursor is None:
            return found
        cursor = {"cursor": page.next_cursor}


def try_a_key(client: AuthenticatedClient) -> None:
    """A key signs in until it is revoked."""
    made = create_api_key.sync("me", client=client, body=NewApiKey(name="nightly"))
    assert isinstance(made, CreatedApiKey)
    machine = AuthenticatedClient(base_url=BASE, token=made.key, raise_on_unexpected_status=True)
    itself = get_user.sync("me", client=machine)
    assert isinstance(itself, User)
    assert itself.username == "john"
    assert revoke_api_key.sync_detailed("me", made.id, client=client).status_code == 204
    refused = get_user.sync("me", client=machine)
    assert isinstance(refused, Problem)
    assert refused.type_ == "/problems/unauthenticated"


def main() -> None:
    ada = register()
    john = signed_in()
    assert ada.id in [user.id for user in every_user(john)]

    read = get_user.sync_detailed(ada.id, client=john)
    etag, patch = read.headers["ETag"], UserPatch(full_name="Ada Lovelace")
    changed = update_user.sync_detailed(ada.id, client=john, body=patch, if_match=etag)
    late = update_user.sync_detailed(ada.id, client=john, body=patch, if_match='"1f-0"')
    assert isinstance(changed.parsed, User)
    assert changed.parsed.full_name == "Ada Lovelace"
    assert isinstance(late.parsed, Problem)
    assert late.parsed.type_ == "/problems/version-mismatch"

    assert delete_user.sync_detailed(ada.id, client=john).status_code == 204
    gone = get_user.sync(ada.id, client=john)
    assert isinstance(gone, Problem)
    assert gone.status == 404
    try_a_key(john)


main()
