"""`GET /v1/users/{id}` as a team would write it with FastAPI and aioboto3.

Served by `uvicorn app:app --workers 2`. The endpoint, the region and the credentials of DynamoDB
are where the SDK looks for them, in the environment.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import aioboto3
from aiobotocore.config import AioConfig
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, Json
from store import Principal, find_caller


def _moment(milliseconds: Any) -> datetime:
    """A moment as the table has it, to the second as the API shows it."""
    return datetime.fromtimestamp(int(milliseconds) // 1000, UTC)


Timestamp = Annotated[datetime, BeforeValidator(_moment)]


class User(BaseModel):
    """A user as the API shows it."""

    id: str
    username: str
    email: str
    email_verified: bool
    full_name: str | None = None
    status: str
    roles: list[str]
    metadata: Json[dict[str, Any]]
    created_at: Timestamp
    updated_at: Timestamp
    last_login_at: Timestamp | None = None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold one client, and so one pool of connections, for the life of a worker."""
    config = AioConfig(max_pool_connections=50, retries={"mode": "standard"})
    async with aioboto3.Session().client("dynamodb", config=config) as client:
        app.state.dynamodb = client
        yield


app = FastAPI(lifespan=lifespan)
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


async def signed_in(id: str, request: Request, bearer: Bearer) -> Principal:
    """The caller; 401 unless the token is a living session's."""
    caller = await find_caller(request.app.state.dynamodb, bearer.credentials, id)
    if caller is None:
        raise HTTPException(401, "Sign in first.", headers={"WWW-Authenticate": "Bearer"})
    return caller


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether the worker answers."""
    return {"status": "ok"}


@app.get("/v1/users/{id}")
async def read_user(id: str, caller: Annotated[Principal, Depends(signed_in)]) -> User:
    """Read a user: the user itself and admins may; to others it does not exist."""
    found = caller.get_visible_user(id)
    if found is None:
        raise HTTPException(404, "No such user.")
    return User.model_validate(found)
