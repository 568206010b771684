"""Print all users, newest first, with roster-client and asyncio.

    ROSTER_URL=http://127.0.0.1:8080 ROSTER_TOKEN=... python list_users.py

The token is that of an admin's session, or an API key with the role admin.
"""

import asyncio
import os
import sys

from roster_client import AuthenticatedClient, ProblemError, each_async
from roster_client.api.users import list_users


async def main() -> None:
    async with AuthenticatedClient(os.environ["ROSTER_URL"], os.environ["ROSTER_TOKEN"]) as client:
        async for user in each_async(list_users.asyncio, client=client, limit=100):
            print(user.username, user.email, sep="\t")


try:
    asyncio.run(main())
except ProblemError as error:
    sys.exit(str(error))
