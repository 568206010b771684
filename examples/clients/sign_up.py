"""Sign a user up and in, and change the profile, with roster-client.

ROSTER_URL=http://127.0.0.1:8080 ROSTER_PASSWORD=... python sign_up.py USERNAME EMAIL
"""

import os
import sys

from roster_client import AuthenticatedClient, Client, ProblemError, expect
from roster_client.api.sessions import sign_in, sign_out
from roster_client.api.users import create_user, get_user, update_user
from roster_client.models import Credentials, NewUser, User, UserPatch

URL = os.environ["ROSTER_URL"]


def sign_up_and_in(username: str, email: str, password: str) -> str:
    """Create a user, and return the token of a session."""
    with Client(URL) as client:
        user = NewUser(username=username, email=email, password=password)
        expect(create_user.sync(client=client, body=user))
        credentials = Credentials(login=username, password=password)
        session = expect(sign_in.sync(client=client, body=credentials))
    return session.token


def rename(client: AuthenticatedClient, full_name: str) -> User:
    """Change the name, unless the user was changed since it was read."""
    read = get_user.sync_detailed("me", client=client)
    body, etag = UserPatch(full_name=full_name), read.headers["ETag"]
    return expect(update_user.sync("me", client=client, body=body, if_match=etag))


def main() -> None:
    username, email = sys.argv[1:]
    try:
        token = sign_up_and_in(username, email, os.environ["ROSTER_PASSWORD"])
        with AuthenticatedClient(URL, token) as client:
            user = rename(client, "Ada Lovelace")
            sign_out.sync(client=client)
    except ProblemError as error:
        fields = [f"{field.pointer}: {field.detail}" for field in error.problem.errors or []]
        sys.exit("\n".join([str(error), *fields]))
    print(f"{user.username} is {user.full_name}.")


main()
